internal import Logging
internal import NIOCore
internal import RaftTransport

/// One life of a server: a transport on a machine of its own, and the tasks that use it.
final class SimulatedServer: @unchecked Sendable {
  // Confined to the simulation's thread.
  let index: Int
  let machine: SimulatedMachine
  let executor: LoopExecutor
  var transport: MuxTransport?
  var isClosing = false
  /// Until when its consumer takes nothing, in nanoseconds.
  var consumerRestsUntil: Int64 = 0
  /// Tasks that have not ended, by what they do.
  private(set) var tasks: [UInt64: String] = [:]
  private var nextTask: UInt64 = 0

  init(machine: SimulatedMachine) {
    index = machine.index
    self.machine = machine
    executor = LoopExecutor(eventLoop: machine.loop)
  }

  var name: String { machine.name }
  var id: ServerID { Self.id(index) }
  var address: ServerAddress { Self.address(index) }
  /// Whether it takes part: it listens, and nobody has ended it.
  var isRunning: Bool { transport != nil && machine.state == .running && !isClosing }

  static func id(_ index: Int) -> ServerID { ServerID("server-\(index + 1)") }
  static func address(_ index: Int) -> ServerAddress { ServerAddress("10.0.0.\(index + 1):8300") }

  /// Runs a task on the server's event loop.
  @discardableResult
  func start(_ what: String, _ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    nextTask += 1
    let number = nextTask
    tasks[number] = what
    return Task(executorPreference: executor) {
      await body()
      self.tasks[number] = nil
    }
  }

  /// Waits on the virtual clock.
  func pause(_ nanoseconds: Int64) async {
    guard nanoseconds > 0 else { return }
    await withCheckedContinuation { continuation in
      machine.loop.at(machine.loop.time.now + nanoseconds) { continuation.resume() }
    }
  }
}
