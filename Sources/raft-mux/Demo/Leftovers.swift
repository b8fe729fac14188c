import Foundation

/// What is still there after everything was closed; nothing should be.
struct Leftovers: Sendable, Equatable {
  /// Sockets of the nodes' ports; `nil` where the system does not list them.
  var sockets: [SocketTable.Socket]?
  /// Processes of followers that have not ended.
  var processes: [Int32]
  /// Descriptors beyond those from before; `nil` where the system does not list them.
  var descriptors: [String]?

  var isClean: Bool {
    (self.sockets ?? []).isEmpty && self.processes.isEmpty && (self.descriptors ?? []).isEmpty
  }

  /// Looks until nothing is left; a few moments at most, as the kernel closes things in its own time.
  static func settle(ports: Set<Int>, processes: [Int32], before: [Int: String]?) async -> Leftovers {
    let deadline = ContinuousClock.now + .seconds(3)
    while true {
      let leftovers = Leftovers(
        sockets: SocketTable.current()?.open(ofListeners: ports),
        processes: processes.filter(ChildProcess.isAlive),
        descriptors: before.flatMap { before in
          OpenDescriptors.current().map { OpenDescriptors.surplus(before: before, after: $0) }
        }
      )
      if leftovers.isClean || ContinuousClock.now >= deadline { return leftovers }
      // The system says when processes are gone to nobody but who asks.
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}
