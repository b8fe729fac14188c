import NIOCore
import RaftTransport
import RaftTransportTesting
import Testing

@Suite("Sockets: one connection per pair", .timeLimit(.minutes(5)))
struct SocketsConnectionCountTests {
  /// Waits until a pair has exactly one connection, by its own word and by the system's.
  private func expectOneConnection(_ one: MuxTransport, _ other: MuxTransport) async throws {
    try await eventually("one connection remains") {
      let (here, there) = (await one.statistics().connections, await other.statistics().connections)
      return here.count == 1 && there.count == 1
    }
    let here = try #require(await one.statistics().connections.first)
    let there = try #require(await other.statistics().connections.first)
    #expect(here.localPort == there.remotePort)
    #expect(here.remotePort == there.localPort)
    #expect(here.isDialled != there.isDialled)
    #expect(here.carriesCalls && there.carriesCalls)
    guard SystemSockets.isAvailable else { return }
    try await eventually("the system has one connection, too") {
      SystemSockets().connectionCount(ofPorts: [one.port, other.port]) == 1
    }
  }

  /// Many calls of two kinds at once.
  private func call(
    _ count: Int, from caller: MuxTransport, to id: ServerID, at address: ServerAddress
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 1...UInt64(count) {
        group.addTask {
          if number.isMultiple(of: 2) {
            let vote = try await caller.requestVote(
              id: id, target: address, RequestVoteRequest(term: number))
            #expect(vote.term == number)
          } else {
            try await caller.proveCall(to: id, at: address, number: number)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("Calls in one direction share a connection", arguments: [5, 50], [false, true])
  func oneDirection(count: Int, callerIsArbiter: Bool) async throws {
    let (callerID, calleeID): (ServerID, ServerID) = callerIsArbiter ? ("b", "a") : ("a", "b")
    let caller = try await listen(callerID)
    let callee = try await listen(calleeID)
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      try await call(count, from: caller, to: calleeID, at: callee.localAddress)
      try await expectOneConnection(caller, callee)
    }
    await echo.stop()
  }

  @Test("Calls back go over the connection that the other side made", arguments: [5, 50], [false, true])
  func bothDirectionsInTurn(count: Int, callerIsArbiter: Bool) async throws {
    let (callerID, calleeID): (ServerID, ServerID) = callerIsArbiter ? ("b", "a") : ("a", "b")
    let caller = try await listen(callerID)
    let callee = try await listen(calleeID)
    let echoes = [EchoConsumer(caller), EchoConsumer(callee)]
    try await closing(caller, callee) {
      try await call(count, from: caller, to: calleeID, at: callee.localAddress)
      let port = await caller.statistics().connections.first?.localPort
      try await call(count, from: callee, to: callerID, at: caller.localAddress)
      try await expectOneConnection(caller, callee)
      #expect(await caller.statistics().connections.first?.localPort == port)
      #expect(await callee.statistics().connections.first?.isDialled == false)
    }
    for echo in echoes { await echo.stop() }
  }

  @Test("Calls from both sides at once end on one connection", arguments: [1, 5, 50], 1...8)
  func bothSidesAtOnce(count: Int, round: Int) async throws {
    let one = try await listen("a")
    let other = try await listen("b")
    let echoes = [EchoConsumer(one), EchoConsumer(other)]
    try await closing(one, other) {
      async let there: Void = call(count, from: one, to: "b", at: other.localAddress)
      async let back: Void = call(count, from: other, to: "a", at: one.localAddress)
      try await there
      try await back
      try await expectOneConnection(one, other)
      try await call(count, from: one, to: "b", at: other.localAddress)
      try await call(count, from: other, to: "a", at: one.localAddress)
      try await expectOneConnection(one, other)
    }
    for echo in echoes { await echo.stop() }
  }

  @Test("Five servers that all call each other at once end with one connection per pair")
  func cluster() async throws {
    let names: [ServerID] = ["a", "b", "c", "d", "e"]
    var servers: [MuxTransport] = []
    for name in names { servers.append(try await listen(name)) }
    let all = servers
    let echoes = all.map { EchoConsumer($0) }
    try await closing(all[0], all[1], all[2], all[3], all[4]) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for caller in all {
          for (id, callee) in zip(names, all) where callee !== caller {
            group.addTask {
              try await caller.proveCall(to: callee, as: id)
            }
          }
        }
        try await group.waitForAll()
      }
      for server in all {
        try await eventually("one connection to each of four peers") {
          let connections = await server.statistics().connections
          return connections.count == 4 && Set(connections.map(\.peerID)).count == 4
        }
      }
      if SystemSockets.isAvailable {
        try await eventually("ten connections in the system") {
          SystemSockets().connectionCount(ofPorts: Set(all.map(\.port))) == 10
        }
      }
    }
    for echo in echoes { await echo.stop() }
  }

  @Test("One server under two names has one connection", arguments: [false, true])
  func twoAddresses(callerIsArbiter: Bool) async throws {
    let (callerID, calleeID): (ServerID, ServerID) = callerIsArbiter ? ("b", "a") : ("a", "b")
    let caller = try await listen(callerID)
    let callee = try await listen(calleeID)
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      for round in 1...3 as ClosedRange<UInt64> {
        try await caller.proveCall(to: calleeID, at: callee.localAddress, number: round)
        try await caller.proveCall(
          to: calleeID, at: ServerAddress("localhost:\(callee.port)"), number: round)
      }
      try await expectOneConnection(caller, callee)
    }
    await echo.stop()
  }
}
