internal import NIOCore
internal import RaftTransport

/// The end of a run: the network heals, and then everything has to be in order.
extension ClusterSimulation {
  private static let second: Int64 = 1_000_000_000

  func finish() {
    trace.note { "the epilogue begins" }
    revive()
    // Longer than a call, a snapshot without progress and a restore may take, and than the search for dead
    // connections.
    run(seconds: 90) { ledger.open.isEmpty }
    ledger.checkAllEnded()
    checkCalls()
    // Half-open connections are found by their silence, and drained ones end.
    run(seconds: 60) { false }
    checkCalls()
    checkConnections()
    checkStatistics()
    closeAll()
  }

  private func revive() {
    healPaths()
    for server in servers {
      server.machine.process.stoppedUntil = time.now
      server.consumerRestsUntil = 0
    }
    run(seconds: 5) { servers.allSatisfy { !$0.isClosing || $0.transport == nil } }
    for server in servers where !server.isRunning { startLife(server.index) }
    run(seconds: 1) { servers.allSatisfy(\.isRunning) }
  }

  /// Lets time pass until something holds, but not longer than so many seconds.
  private func run(seconds: Int64, until isDone: () -> Bool) {
    let limit = time.now + seconds * Self.second
    while time.now < limit, !isDone() { time.run(until: min(limit, time.now + Self.second / 10)) }
  }

  /// Everybody reaches everybody, with more calls at once than there is stream credit.
  private func checkCalls() {
    var left: [String: Int] = [:]
    for caller in servers {
      for target in servers.indices where target != caller.index {
        for kind in [SimulatedOperation.Kind.vote, .append] {
          let count = (kind == .vote ? limits.electionStreams : limits.appendStreams) + 1
          for place in 0..<count {
            let name = "\(kind) \(place) from \(caller.name) to n\(target + 1)"
            left[name] = 1
            persist(kind, caller, target, attempts: 12) { left[name] = nil }
          }
        }
      }
    }
    run(seconds: 90) { left.isEmpty }
    for name in left.keys.sorted().prefix(3) { report("though the network is well, there is no \(name)") }
    ledger.checkAllEnded()
  }

  /// Calls until it is answered: a handler that forgets its responder, or a connection that has to be made anew, may
  /// cost a call or two.
  private func persist(
    _ kind: SimulatedOperation.Kind, _ caller: SimulatedServer, _ target: Int, attempts: Int,
    succeeded: @escaping () -> Void
  ) {
    guard attempts > 0 else { return }
    let done = UncheckedBox(succeeded)
    call(kind, from: caller, to: target, wanting: SimulatedServer.id(target)) { [self] isAnswered in
      if isAnswered { return done.value() }
      caller.machine.loop.at(time.now + Self.second / 2) { [self] in
        persist(kind, caller, target, attempts: attempts - 1, succeeded: done.value)
      }
    }
  }

  private func checkConnections() {
    for first in servers.indices {
      for second in servers.indices where first < second {
        let open = network.openConnections(between: first, and: second)
        if open.count != 1 {
          report("n\(first + 1) and n\(second + 1) are joined by \(open.count) connections: \(open.map(\.number))")
        }
      }
    }
    for server in servers where server.machine.loop.pendingCount > 50 {
      report("\(server.name) rests with \(server.machine.loop.pendingCount) events to come")
    }
  }

  private func checkStatistics() {
    for server in servers {
      guard let transport = server.transport else { continue }
      server.start("looking at statistics") { [self] in
        for connection in await transport.statistics().connections {
          let streams = connection.streams
          if streams.election + streams.append + streams.snapshot > 0 || connection.callsInFlight > 0 {
            report("\(server.name) rests with \(streams) and \(connection.callsInFlight) calls to \(connection.peerID)")
          }
        }
      }
    }
    run(seconds: 5) { servers.allSatisfy { !$0.tasks.values.contains("looking at statistics") } }
  }

  private func closeAll() {
    trace.note { "all close" }
    let all = formerServers + servers
    weak let last: MuxTransport? = servers.last?.transport
    for server in servers { close(server) }
    run(seconds: 90) { all.allSatisfy { $0.tasks.isEmpty } }
    for server in all {
      for task in server.tasks.values.sorted() { report("\(server.name) is still \(task)") }
      for socket in server.machine.sockets where socket.isOpen {
        report("\(server.name) has left a socket open")
      }
    }
    run(seconds: 30) { all.allSatisfy { $0.machine.loop.pendingCount == 0 } }
    for server in all where server.machine.loop.pendingCount > 0 {
      report("\(server.name) has left \(server.machine.loop.pendingCount) events")
    }
    if last != nil { report("a closed transport has not been let go") }
  }
}
