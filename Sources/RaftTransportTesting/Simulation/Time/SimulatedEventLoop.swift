internal import Dispatch
internal import HeapModule
internal import NIOCore

/// A process as a simulation sees it: it can be stopped for a while, and it has a clock of its own.
final class SimulatedProcess {
  /// Until when it does nothing, in nanoseconds of the simulation; then it finds its clock far ahead.
  var stoppedUntil: Int64 = 0
  /// What its monotonic clock is ahead of the simulation's, in nanoseconds.
  let clockOffset: Int64

  init(clockOffset: Int64) {
    self.clockOffset = clockOffset
  }
}

/// An event loop on virtual time.
///
/// As the real ones, it runs what it is told in order, and timers of one deadline in the order in which they were set.
final class SimulatedEventLoop: EventLoop, @unchecked Sendable {
  // Confined to the simulation's thread.
  let number: UInt64
  let time: VirtualTime
  let process: SimulatedProcess
  var busyUntil: Int64 = 0
  private var events = Heap<SimulatedEvent>()
  private var lastOrder: UInt64 = 0

  init(number: UInt64, time: VirtualTime, process: SimulatedProcess) {
    self.number = number
    self.time = time
    self.process = process
    time.add(self)
  }

  /// When there is something to run, in nanoseconds of the simulation.
  var nextTime: Int64? {
    while let first = events.min, first.action == nil { events.removeMin() }
    return events.min.map { max($0.time, busyUntil, process.stoppedUntil) }
  }

  func runFirst() {
    guard let action = events.popMin()?.take() else { return }
    action()
  }

  /// Events that have not run and were not taken back.
  var pendingCount: Int { events.unordered.count { $0.action != nil } }

  /// When they are due, in nanoseconds of the simulation.
  var pendingTimes: [Int64] { events.unordered.filter { $0.action != nil }.map(\.time).sorted() }

  /// Runs something at a time of the simulation, in nanoseconds.
  @discardableResult
  func at(_ instant: Int64, _ action: @escaping () -> Void) -> SimulatedEvent {
    lastOrder += 1
    let event = SimulatedEvent(time: max(instant, time.now), order: lastOrder, action: action)
    events.insert(event)
    return event
  }

  // MARK: EventLoop

  var inEventLoop: Bool { time.current === self }

  var now: NIODeadline { .uptimeNanoseconds(UInt64(time.now + process.clockOffset)) }

  func execute(_ task: @escaping @Sendable () -> Void) {
    at(time.now, task)
  }

  func scheduleTask<T>(
    deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T
  ) -> Scheduled<T> {
    let promise = makePromise(of: T.self)
    let instant = Int64(clamping: deadline.uptimeNanoseconds) - process.clockOffset
    let event = UncheckedBox(
      at(instant) {
        do {
          promise.assumeIsolated().succeed(try task())
        } catch {
          promise.fail(error)
        }
      })
    return Scheduled(promise: promise) { _ = event.value.take() }
  }

  func scheduleTask<T>(
    in amount: TimeAmount, _ task: @escaping @Sendable () throws -> T
  ) -> Scheduled<T> {
    scheduleTask(deadline: now + amount, task)
  }

  func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
    queue.async { callback(nil) }
  }
}

/// Something that never leaves the simulation's thread, on its way through an interface that cannot know that.
struct UncheckedBox<Value>: @unchecked Sendable {
  let value: Value

  init(_ value: Value) {
    self.value = value
  }
}
