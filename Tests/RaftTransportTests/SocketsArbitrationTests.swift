import Logging
import NIOCore
import RaftTransport
import RaftTransportTesting
import StreamMux
import Testing

/// The rules for a second connection of the same peer, with peers that are played by hand.
@Suite("Sockets: a second connection of the same peer", .serialized, .timeLimit(.minutes(5)))
struct SocketsArbitrationTests {
  /// Answers the PINGs of the other end until the connection ends; then says how that was.
  private func answerPings(_ peer: RawPeer) -> Task<ErrorCode?, any Error> {
    Task {
      while let event = try await peer.nextEvent() {
        switch event {
        case .frame(.ping(let number)): await peer.send(.pong(number))
        case .frame(.goAway(let goAway)): return goAway.code
        default: continue
        }
      }
      return nil
    }
  }

  @Test("While the first one lives, the arbiter refuses the second as duplicate and names the first")
  func duplicate() async throws {
    let server = try await listen("b")
    try await closing(server) {
      // On a busy machine our answer to the probe may come too late; then the second one is right to win, and it is
      // tried again.
      var refusals = 0
      for attempt in 1...20 where refusals < 3 {
        refusals = try await duplicateRefusals(server, id: "a\(attempt)")
      }
      #expect(refusals == 3, "each of three challengers in a row is refused")
    }
  }

  /// How many of three challengers in a row are refused.
  private func duplicateRefusals(_ server: MuxTransport, id: String) async throws -> Int {
    let hello = try RawPeer.hello(serverID: id, address: "127.0.0.1:9")
    let first = try await RawPeer.connect(to: server.localAddress)
    // So may our handshake.
    guard (try? await first.shakeHands(hello)) != nil else { return 0 }
    try await eventually("the first one stands") {
      await server.statistics().connections.contains { $0.peerID.rawValue == id }
    }
    let pings = answerPings(first)
    var refusals = 0
    for _ in 1...3 {
      let second = try await RawPeer.connect(to: server.localAddress)
      await second.send(RawPeer.greeting(try RawPeer.hello(serverID: id, address: "127.0.0.1:9")))
      await second.send(.authentication(Authentication(.none)))
      let welcome = try await second.next { frame in
        if case .welcome(let welcome) = frame { welcome } else { nil }
      }
      if case .refused(let refusal) = welcome {
        #expect(refusal.code == .duplicate)
        #expect(refusal.winner == hello.nonce)
        #expect(try await second.nextEvent() == nil)
        refusals += 1
      }
      await second.close()
    }
    await first.close()
    _ = try? await pings.value
    return refusals
  }

  @Test("Where the first one does not answer, the second takes its place; too many of these raise an alarm")
  func displacement() async throws {
    let log = LogCapture()
    let server = try await listen("b", logger: log.logger)
    try await closing(server) {
      var incumbent = try await RawPeer.connect(to: server.localAddress)
      try await incumbent.shakeHands(try RawPeer.hello(serverID: "a", address: "127.0.0.1:9"))
      try await eventually("the first one stands") { await server.statistics().connections.count == 1 }
      let alarm = "were displaced within a minute: do two use its ID?"
      for round in 1...40 where round <= 4 || !log.contains(alarm) {
        #expect(!log.contains(alarm), "not before the fourth")
        let challenger = try await RawPeer.connect(to: server.localAddress)
        // Each one says that it was started later, so that what was just heard of the last one does not count.
        try await challenger.shakeHands(
          try RawPeer.hello(serverID: "a", address: "127.0.0.1:9", incarnation: UInt64(round) + 1))
        // On a busy machine its silence may have been noticed before.
        let end = try await incumbent.nextEnd()
        #expect(end == .displaced || end == .silent)
        await incumbent.close()
        incumbent = challenger
      }
      try await log.expect(alarm, level: .warning)
      await incumbent.close()
    }
  }

  @Test("A first one of which something was just heard need not answer: it is there")
  func busyIncumbent() async throws {
    let server = try await listen("b")
    try await closing(server) {
      var wasAsked = true
      // On a busy machine more than a second may pass between the two; then it is tried again.
      for attempt in 1...20 where wasAsked {
        let hello = try RawPeer.hello(serverID: "a\(attempt)", address: "127.0.0.1:9")
        let first = try await RawPeer.connect(to: server.localAddress)
        try await first.shakeHands(hello)
        let second = try await RawPeer.connect(to: server.localAddress)
        await first.send(.ping(5))
        await second.send(
          RawPeer.greeting(try RawPeer.hello(serverID: "a\(attempt)", address: "127.0.0.1:9")))
        await second.send(.authentication(Authentication(.none)))
        let welcome = try await second.next { frame in
          if case .welcome(let welcome) = frame { welcome } else { nil }
        }
        if case .refused(let refusal) = welcome {
          #expect(refusal.code == .duplicate)
          #expect(refusal.winner == hello.nonce)
          wasAsked = false
        }
        await first.close()
        await second.close()
      }
      #expect(!wasAsked)
    }
  }

  @Test("A first one that answers, but is being drained, makes way for the second")
  func drainedIncumbent() async throws {
    let server = try await listen("b")
    try await closing(server) {
      let hello = try RawPeer.hello(serverID: "a", address: "127.0.0.1:9")
      let first = try await RawPeer.connect(to: server.localAddress)
      try await first.shakeHands(hello)
      try await eventually("the first one stands") { await server.statistics().connections.count == 1 }
      let second = try await RawPeer.connect(to: server.localAddress)
      let handshake = Task {
        try await second.shakeHands(
          try RawPeer.hello(serverID: "a", address: "127.0.0.1:9", incarnation: 2))
      }
      let ping = try await first.next { frame in if case .ping(let number) = frame { number } else { nil } }
      await first.send(
        .goAway(GoAway(lastStream: ProtocolConstants.soon, code: .shutdown)), .pong(try #require(ping)))
      try await handshake.value
      await first.close()
      await second.close()
    }
  }

  @Test("One that has earned less does not displace one that has earned its route, even if that is silent")
  func weakerChallenger() async throws {
    let server = try await listen("b")
    try await closing(server) {
      // Where the server was asked to call its peer, it believes a connection of that peer.
      _ = try? await server.requestVote(id: "a", target: "127.0.0.1:9", RequestVoteRequest())
      let first = try await RawPeer.connect(to: server.localAddress)
      try await first.shakeHands(try RawPeer.hello(serverID: "a", address: "127.0.0.1:9"))
      try await eventually("the first one stands") { await server.statistics().connections.count == 1 }
      let second = try await RawPeer.connect(to: server.localAddress)
      await second.send(RawPeer.greeting(try RawPeer.hello(serverID: "a", address: "192.0.2.1:9")))
      await second.send(.authentication(Authentication(.none)))
      #expect(try await second.nextEnd() == .duplicate)
      await first.close()
      await second.close()
    }
  }

  @Test(
    "Who does not arbitrate welcomes what the arbiter dials, and asks the older connection whether it lives")
  func arbiterDialsAgain() async throws {
    let server = try await listen("b")
    try await closing(server) {
      let first = try await RawPeer.connect(to: server.localAddress)
      try await first.shakeHands(try RawPeer.hello(serverID: "c", address: "127.0.0.1:9"))
      let second = try await RawPeer.connect(to: server.localAddress)
      try await second.shakeHands(try RawPeer.hello(serverID: "c", address: "127.0.0.1:9"))
      // The older one does not answer, so it goes.
      let end = try await first.nextEnd()
      #expect(end == .displaced || end == .silent)
      let pings = answerPings(second)
      try await eventually("the newer one stays") { await server.statistics().connections.count == 1 }
      await first.close()
      await second.close()
      _ = try? await pings.value
    }
  }
}
