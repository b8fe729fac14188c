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
    // As long as half-open connections are looked for, a call may meet one.
    checkCalls(patience: 60, attempts: 12)
    run(seconds: 60) { false }
    isCalm = true
    // The slowest handlers have answered, whether anybody waits for that or not.
    run(seconds: 15) { false }
    checkCalls(patience: 10, attempts: 1)
    run(seconds: 3) { false }
    checkConnections()
    checkStatistics()
    checkRebirth()
    checkNewConnections()
    checkLostConnection()
    checkWrongServer()
    checkDeadlines()
    checkCancellations()
    checkSteadyFlow()
    checkEarlierStart()
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
  func run(seconds: Int64, until isDone: () -> Bool) {
    let limit = time.now + seconds * Self.second
    while time.now < limit, !isDone() {
      time.run(until: min(limit, time.now + Self.second / 10))
      ledger.checkDue(now: time.now)
    }
  }

  // MARK: Calls

  /// Everybody reaches everybody, with more calls at once than there is stream credit.
  ///
  /// - Parameters:
  ///   - patience: How long that may take, in seconds.
  ///   - attempts: How often each call is made until it is answered.
  private func checkCalls(patience: Int64, attempts: Int) {
    let left = CallsLeft()
    for caller in servers {
      for target in servers.indices where target != caller.index {
        for kind in [SimulatedOperation.Kind.vote, .append] {
          let count = (kind == .vote ? limits.electionStreams : limits.appendStreams) + 1
          for _ in 0..<count { persist(kind, caller, target, attempts, left) }
        }
      }
    }
    expectAnswers(left, patience)
  }

  /// What has still to be answered.
  private final class CallsLeft {
    var count = 0
    var failures: [String] = []
  }

  private func expectAnswers(_ left: CallsLeft, _ patience: Int64) {
    run(seconds: patience) { left.count == 0 }
    for failure in left.failures.prefix(3) { report("though the network is well, there is no \(failure)") }
    if left.failures.isEmpty, left.count > 0 {
      report("though the network is well, \(left.count) calls are not answered within \(patience) s")
    }
    run(seconds: 10) { ledger.open.isEmpty }
    ledger.checkAllEnded()
  }

  private func persist(
    _ kind: SimulatedOperation.Kind, _ caller: SimulatedServer, _ target: Int, _ attempts: Int,
    _ left: CallsLeft
  ) {
    left.count += 1
    let left = UncheckedBox(left)
    call(kind, from: caller, to: target, wanting: SimulatedServer.id(target)) { [self] isAnswered in
      left.value.count -= 1
      if isAnswered { return }
      guard attempts > 1 else {
        return left.value.failures.append("\(kind) from \(caller.name) to n\(target + 1)")
      }
      left.value.count += 1
      caller.machine.loop.at(time.now + Self.second / 4) { [self] in
        left.value.count -= 1
        persist(kind, caller, target, attempts - 1, left.value)
      }
    }
  }

  // MARK: Connections

  func checkConnections() {
    for first in servers.indices {
      for second in servers.indices where first < second {
        let open = network.openConnections(between: first, and: second)
        if open.count != 1 {
          let numbers = open.map(\.number)
          report("n\(first + 1) and n\(second + 1) are joined by \(open.count) connections: \(numbers)")
        }
      }
    }
    for server in servers where server.machine.loop.pendingCount > 50 {
      report("\(server.name) rests with \(server.machine.loop.pendingCount) events to come")
    }
  }

  func checkStatistics() {
    for server in servers {
      guard let transport = server.transport else { continue }
      server.start("looking at statistics") { [self] in
        for connection in await transport.statistics().connections {
          let (streams, calls) = (connection.streams, connection.callsInFlight)
          if streams.election + streams.append + streams.snapshot > 0 || calls > 0 {
            report("\(server.name) rests with \(streams) and \(calls) calls to \(connection.peerID)")
          }
        }
      }
    }
    run(seconds: 5) { servers.allSatisfy { !$0.tasks.values.contains("looking at statistics") } }
  }

  /// A server dies in silence and comes back at once: its peers find out that what they hold of it is dead before
  /// their patience with silence is at its end (R-PAIR-8).
  private func checkRebirth() {
    guard let victim = random.element(of: servers), victim.isRunning else { return }
    let death = time.now
    kill(victim, isAnnounced: false)
    startLife(victim.index)
    run(seconds: 1) { servers[victim.index].isRunning }
    let left = CallsLeft()
    for target in servers.indices where target != victim.index {
      persist(.vote, servers[victim.index], target, 16, left)
    }
    expectAnswers(left, 3)
    // Before five seconds of silence have passed, of which one may have passed before the death.
    time.run(until: death + 3_800_000_000)
    checkConnections()
  }

  /// All streams are closed everywhere, and then all call each other at once.
  private func checkNewConnections() {
    trace.note { "all close their streams" }
    for server in servers {
      server.start("closing streams") { await server.transport?.closeStreams() }
    }
    run(seconds: 3) { false }
    checkCalls(patience: 10, attempts: 1)
    for server in servers {
      for target in servers.indices where target != server.index { snapshot(from: server, to: target) }
    }
    run(seconds: 40) { ledger.open.isEmpty }
    ledger.checkAllEnded()
    for server in servers {
      server.start("closing streams") { await server.transport?.closeStreams() }
    }
    run(seconds: 3) { false }
    checkCalls(patience: 10, attempts: 1)
  }

  private func closeAll() {
    trace.note { "all close" }
    let all = formerServers + servers
    weak let last: MuxTransport? = servers.last?.transport
    for server in servers { close(server) }
    // Whoever closes waits a second for the other end to do the same.
    run(seconds: 2) { false }
    for server in all {
      for task in server.tasks.values.sorted() { report("\(server.name) is still \(task)") }
      for socket in server.machine.sockets where socket.isOpen {
        report("\(server.name) has left a socket open")
      }
      let due = server.machine.loop.pendingTimes.map { ($0 - time.now) / 1_000_000 }
      if !due.isEmpty { report("\(server.name) has left events that are due in \(due.prefix(5)) ms") }
    }
    if last != nil { report("a closed transport has not been let go") }
  }
}
