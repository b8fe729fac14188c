import Logging
import NIOCore
import RaftTransport
import RaftTransportTesting
import StreamMux
import Testing

@Suite("Sockets: who is at the other end", .serialized, .timeLimit(.minutes(5)))
struct SocketsIdentityTests {
  @Test("A server of another cluster refuses, and both sides say why", arguments: [false, true])
  func wrongCluster(callerIsArbiter: Bool) async throws {
    let (callerID, calleeID): (ServerID, ServerID) = callerIsArbiter ? ("b", "a") : ("a", "b")
    let (callerLog, calleeLog) = (LogCapture(), LogCapture())
    let caller = try await listen(callerID, logger: callerLog.logger)
    let callee = try await listen(calleeID, logger: calleeLog.logger) { $0.clusterID = "elsewhere" }
    try await closing(caller, callee) {
      for id in [calleeID, ""] {
        let error = try await failure("a call to another cluster") {
          try await untilNotPaused { try await caller.proveCall(to: id, at: callee.localAddress) }
        }
        #expect(error.code == .refused)
        #expect(error.delivery == .notDelivered)
        #expect(error.message.contains("wrongCluster"), "\(error)")
        #expect(error.message.contains("elsewhere") && error.message.contains("sockets"), "\(error)")
      }
      try await calleeLog.expect("wrongCluster", level: .info)
      try await callerLog.expect("wrongCluster", level: .info)
      #expect(await caller.statistics().connections.isEmpty)
      #expect(await callee.statistics().connections.isEmpty)
    }
  }

  @Test("Where another server answers, the call fails undelivered, and calls to that one go on")
  func wrongServer() async throws {
    let log = LogCapture()
    let caller = try await listen("a", logger: log.logger)
    let callee = try await listen("b", logger: log.logger)
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      for _ in 1...3 {
        // The first time nobody is connected, later somebody is.
        let error = try await failure("a call to another server") {
          try await caller.proveCall(to: "c", at: callee.localAddress)
        }
        #expect(error.code == .wrongServer)
        #expect(error.delivery == .notDelivered)
        #expect(error.message.contains("c") && error.message.contains("b"), "\(error)")
        try await caller.proveCall(to: callee, as: "b")
        try await caller.proveCall(to: callee, as: "")
      }
      try await log.expect("wrongServer", level: .info)
      #expect(echo.counts.appendEntries == 6)
    }
    await echo.stop()
  }

  @Test("Calls to the right and to the wrong server at once end as each of them should")
  func mixedTargets() async throws {
    let caller = try await listen("a")
    let callee = try await listen("b")
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 1...30 as ClosedRange<UInt64> {
          group.addTask {
            if number.isMultiple(of: 3) {
              let error = try await failure("a call to another server") {
                try await caller.proveCall(to: "c", at: callee.localAddress, number: number)
              }
              #expect(error.code == .wrongServer, "\(error)")
            } else {
              let id: ServerID = number.isMultiple(of: 2) ? "b" : ""
              try await caller.proveCall(to: id, at: callee.localAddress, number: number)
            }
          }
        }
        try await group.waitForAll()
      }
    }
    await echo.stop()
  }

  @Test("A server that reaches itself is told so")
  func selfConnection() async throws {
    let log = LogCapture()
    let server = try await listen("a", logger: log.logger)
    try await closing(server) {
      let error = try await failure("a call to oneself") {
        try await server.proveCall(to: "", at: server.localAddress)
      }
      #expect(error.code == .refused)
      #expect(error.delivery == .notDelivered)
      #expect(error.message.contains("selfConnection"), "\(error)")
      try await log.expect("selfConnection", level: .info)
      #expect(await server.statistics().connections.isEmpty)
    }
  }

  @Test("Two servers with the same ID do not connect")
  func sameServerID() async throws {
    let log = LogCapture()
    let one = try await listen("a")
    let other = try await listen("a", logger: log.logger)
    try await closing(one, other) {
      let error = try await failure("a call to a namesake") {
        try await one.proveCall(to: "a", at: other.localAddress)
      }
      #expect(error.code == .refused)
      #expect(error.message.contains("both ends are a"), "\(error)")
      try await log.expect("both ends are a", level: .info)
    }
  }

  @Test(
    "A connection that does not come from its peer's address serves the peer only; we dial our own",
    .enabled(if: SystemSockets.isAvailable), arguments: [false, true])
  func unearnedIdentity(localIsArbiter: Bool) async throws {
    let (localID, roamerID): (ServerID, ServerID) = localIsArbiter ? ("b", "a") : ("a", "b")
    let local = try await listen(localID)
    // It lives at 127.0.0.2, but what it dials comes from 127.0.0.1.
    let roamer = try await listen(roamerID, on: "127.0.0.2:0")
    let echoes = [EchoConsumer(local), EchoConsumer(roamer)]
    try await closing(local, roamer) {
      try await roamer.proveCall(to: local, as: localID)
      #expect(await local.statistics().connections.map(\.carriesCalls) == [false])
      #expect(await roamer.statistics().connections.map(\.isDialled) == [true])

      for round in 1...3 as ClosedRange<UInt64> {
        try await local.proveCall(to: roamer, as: roamerID, number: round)
        try await roamer.proveCall(to: local, as: localID, number: round)
      }
      let connections = await local.statistics().connections
      #expect(connections.filter(\.carriesCalls).map(\.isDialled) == [true])
      #expect(connections.count <= 2)
      // One that was refused may take a moment to close.
      try await eventually("two connections are left") {
        SystemSockets().connectionCount(ofPorts: [local.port, roamer.port]) <= 2
      }
    }
    for echo in echoes { await echo.stop() }
  }

  @Test("A peer without an address serves and is served, over the connection that it made")
  func noAddress() async throws {
    let server = try await listen("b")
    let echo = EchoConsumer(server)
    try await closing(server) {
      let peer = try await RawPeer.connect(to: server.localAddress)
      try await peer.shakeHands(try RawPeer.hello(serverID: "a"))
      try await eventually("the connection stands") {
        await server.statistics().connections.map(\.carriesCalls) == [false]
      }
      await peer.close()
    }
    await echo.stop()
  }

  @Test("An RPC's origin names the peer and the address at which it lives")
  func origin() async throws {
    let caller = try await listen("a")
    let callee = try await listen("b")
    try await closing(caller, callee) {
      async let refused = failure("a vote that is refused") {
        try await caller.requestVote(id: "b", target: callee.localAddress, RequestVoteRequest(term: 1))
      }
      let rpc = try #require(await callee.consumer.makeAsyncIterator().next())
      #expect(rpc.origin == IncomingRPC.Origin(id: "a", address: caller.localAddress))
      rpc.fail("enough")
      #expect(try await refused.remote?.text == "enough")
    }
  }

  @Test("Calls for another Raft group are refused undelivered")
  func otherGroup() async throws {
    let caller = try await listen("a") { $0.group = 7 }
    let callee = try await listen("b") { $0.group = 8 }
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      for _ in 1...3 {
        let error = try await failure("a call for another group") {
          try await caller.proveCall(to: callee, as: "b")
        }
        #expect(error.code == .streamReset, "\(error)")
        #expect(error.delivery == .notDelivered)
        #expect(error.message.contains("unknownGroup"), "\(error)")
      }
      #expect(await caller.statistics().connections.count == 1)
      #expect(echo.counts.appendEntries == 0)
    }
    await echo.stop()
  }

  @Test("A server that claims another's name from elsewhere gets none of its calls")
  func impostor() async throws {
    let server = try await listen("b")
    let victim = try await listen("a")
    let echo = EchoConsumer(victim)
    try await closing(server, victim) {
      // The impostor names the victim and an address that is not where it comes from.
      let impostor = try await RawPeer.connect(to: server.localAddress)
      try await impostor.shakeHands(try RawPeer.hello(serverID: "a", address: "192.0.2.7:8300"))
      try await eventually("the impostor's connection stands") {
        await server.statistics().connections.count == 1
      }
      for round in 1...3 as ClosedRange<UInt64> {
        try await server.proveCall(to: victim, as: "a", number: round)
      }
      #expect(echo.counts.appendEntries == 3)
      await impostor.close()
    }
    await echo.stop()
  }

  /// A call that is not answered by the pause after earlier failures.
  private func untilNotPaused(_ call: () async throws -> Void) async throws {
    while true {
      do {
        return try await call()
      } catch let error as TransportError where error.message.contains("is tried again in") {
        // The pause is what is waited for; the suite's time limit bounds it.
        try await Task.sleep(for: .milliseconds(5))
      }
    }
  }
}
