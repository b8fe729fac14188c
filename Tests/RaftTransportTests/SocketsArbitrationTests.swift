import Logging
import NIOCore
import RaftTransport
import RaftTransportTesting
import StreamMux
import Testing

/// The rules for a second connection of the same peer, with peers that are played by hand.
@Suite("Sockets: a second connection of the same peer", .timeLimit(.minutes(5)))
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
      let hello = try RawPeer.hello(serverID: "a", address: "127.0.0.1:9")
      let first = try await RawPeer.connect(to: server.localAddress)
      try await first.shakeHands(hello)
      try await eventually("the first one stands") { await server.statistics().connections.count == 1 }
      let pings = answerPings(first)
      for _ in 1...3 {
        let second = try await RawPeer.connect(to: server.localAddress)
        await second.send(RawPeer.greeting(try RawPeer.hello(serverID: "a", address: "127.0.0.1:9")))
        await second.send(.authentication(Authentication(.none)))
        let refusal = try await second.next { frame in
          if case .welcome(.refused(let refusal)) = frame { refusal } else { nil }
        }
        #expect(refusal?.code == .duplicate)
        #expect(refusal?.winner == hello.nonce)
        #expect(try await second.nextEvent() == nil)
        await second.close()
      }
      #expect(await server.statistics().connections.count == 1)
      await first.close()
      _ = try? await pings.value
    }
  }

  @Test("Where the first one does not answer, the second takes its place; too many of these raise an alarm")
  func displacement() async throws {
    let log = LogCapture()
    let server = try await listen("b", logger: log.logger)
    try await closing(server) {
      var incumbent = try await RawPeer.connect(to: server.localAddress)
      try await incumbent.shakeHands(try RawPeer.hello(serverID: "a", address: "127.0.0.1:9"))
      try await eventually("the first one stands") { await server.statistics().connections.count == 1 }
      for round in 1...4 {
        #expect(!log.contains("were displaced within a minute"), "not before the fourth: round \(round)")
        let challenger = try await RawPeer.connect(to: server.localAddress)
        try await challenger.shakeHands(try RawPeer.hello(serverID: "a", address: "127.0.0.1:9"))
        #expect(try await incumbent.nextEnd() == .displaced)
        await incumbent.close()
        incumbent = challenger
      }
      try await log.expect("were displaced within a minute: do two use its ID?", level: .warning)
      await incumbent.close()
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
        try await second.shakeHands(try RawPeer.hello(serverID: "a", address: "127.0.0.1:9"))
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
      #expect(try await first.nextEnd() == .displaced)
      let pings = answerPings(second)
      try await eventually("the newer one stays") { await server.statistics().connections.count == 1 }
      await first.close()
      await second.close()
      _ = try? await pings.value
    }
  }
}
