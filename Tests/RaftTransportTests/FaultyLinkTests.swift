import NIOCore
import NIOPosix
import RaftTransport
import RaftTransportTesting
import Testing

/// Plain sockets on both sides of a faulty link.
@Suite("The faulty link")
struct FaultyLinkTests {
  @Test("Bytes go through both ways and are counted")
  func relays() async throws {
    try await LinkedSockets.withLink { link, near, far in
      try await near.send("ping")
      #expect(try await far.receive(4) == "ping")
      try await far.send("answer")
      #expect(try await near.receive(6) == "answer")
      let figures = try await link.figures()
      #expect(figures.connectionsAccepted == 1)
      #expect(figures.openConnections == 1)
      #expect(figures.bytesForwarded == [.toTarget: 4, .toClient: 6])
    }
  }

  @Test("A FIN goes through, and the other direction goes on")
  func halfClose() async throws {
    try await LinkedSockets.withLink { _, near, far in
      try await near.send("last")
      near.outbound.finish()
      #expect(try await far.receiveAll() == "last")
      try await far.send("still here")
      far.outbound.finish()
      #expect(try await near.receiveAll() == "still here")
    }
  }

  @Test("Many bytes arrive unchanged, at full speed, throttled and delayed", arguments: [0, 1, 2])
  func manyBytes(_ mode: Int) async throws {
    try await LinkedSockets.withLink { link, near, far in
      if mode == 1 { try await link.throttle(bytesPerSecond: 20_000_000, .toTarget) }
      if mode == 2 { try await link.delay(.milliseconds(5), .toTarget) }
      let text = String((0..<2_000_000).map { Character(UnicodeScalar(UInt8(97 + $0 % 23))) })
      async let received = far.receiveAll()
      try await near.send(text)
      near.outbound.finish()
      #expect(try await received == text)
    }
  }

  @Test("A delay holds bytes back, at least so long")
  func delays() async throws {
    try await LinkedSockets.withLink { link, near, far in
      try await link.delay(.milliseconds(50), .toTarget)
      let start = ContinuousClock.now
      try await near.send("late")
      #expect(try await far.receive(4) == "late")
      #expect(ContinuousClock.now - start >= .milliseconds(49))
    }
  }

  @Test("A throttle lets no more through than it says")
  func throttles() async throws {
    try await LinkedSockets.withLink { link, near, far in
      try await link.throttle(bytesPerSecond: 400_000, .toTarget)
      let start = ContinuousClock.now
      try await near.send(String(repeating: "x", count: 40_000))
      _ = try await far.receive(40_000)
      // The first piece goes at once; the others cost a tenth of a second together, less that first piece.
      #expect(ContinuousClock.now - start >= .milliseconds(85))
    }
  }

  @Test("A stalled direction keeps its bytes while the other one works; resuming lets them go")
  func stalls() async throws {
    try await LinkedSockets.withLink { link, near, far in
      try await link.stall(.toTarget)
      try await near.send("held")
      for number in 1...20 {
        try await far.send("\(number % 10)")
        #expect(try await near.receive(1) == "\(number % 10)")
      }
      #expect(try await link.figures().bytesForwarded[.toTarget] == 0)
      try await link.resume(.toTarget)
      #expect(try await far.receive(4) == "held")
    }
  }

  @Test("Swallowed bytes are gone, later ones arrive")
  func swallows() async throws {
    try await LinkedSockets.withLink { link, near, far in
      try await near.send("a")
      #expect(try await far.receive(1) == "a")
      try await link.swallow(.toTarget)
      try await near.send("lost")
      // Swallowing has no trace outside; the end of the stream behind the lost bytes has.
      near.outbound.finish()
      #expect(try await far.receiveAll() == "")
      #expect(try await link.figures().bytesForwarded[.toTarget] == 1)
    }
  }

  @Test("A corrupted byte differs in the bits that were asked for, and no other byte does")
  func corrupts() async throws {
    try await LinkedSockets.withLink { link, near, far in
      try await link.corrupt(byteAt: 5, mask: 0x20, .toTarget)
      try await near.send("abcd")
      #expect(try await far.receive(4) == "abcd")
      try await near.send("efgh")
      #expect(try await far.receive(4) == "eFgh")
      try await far.send("untouched")
      #expect(try await near.receive(9) == "untouched")
    }
  }

  @Test("A cut ends both directions with a FIN")
  func cuts() async throws {
    try await LinkedSockets.withLink { link, near, far in
      try await near.send("x")
      #expect(try await far.receive(1) == "x")
      try await link.cut()
      #expect(try await far.receiveAll() == "")
      #expect(try await near.receiveAll() == "")
    }
  }

  @Test("A reset ends both directions with an error")
  func resets() async throws {
    try await LinkedSockets.withLink { link, near, far in
      try await near.send("x")
      #expect(try await far.receive(1) == "x")
      try await link.reset()
      await #expect(throws: IOError.self) { try await far.receiveAll() }
      await #expect(throws: IOError.self) { try await near.receiveAll() }
    }
  }

  @Test("Healing lifts every fault")
  func heals() async throws {
    try await LinkedSockets.withLink { link, near, far in
      try await link.stall(.toTarget)
      try await link.corrupt(byteAt: 0, .toTarget)
      try await link.refuseConnections()
      try await link.heal()
      try await near.send("well")
      #expect(try await far.receive(4) == "well")
    }
  }

  @Test("A refused connection is reset, and one to a dead target too", arguments: [true, false])
  func refuses(_ isRefusing: Bool) async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    // A port that was bound a moment ago and is not any more.
    let listener = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(listener.localAddress?.port)
    try await listener.close().get()
    let link = try await FaultyLink.start(to: ServerAddress("127.0.0.1:\(port)"))
    if isRefusing { try await link.refuseConnections() }
    let linkPort = try #require(link.address.rawValue.split(separator: ":").last.flatMap { Int($0) })
    // The reset may come while the client still connects, or behind that.
    await #expect(throws: (any Error).self) {
      let client = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: linkPort) {
        channel in
        channel.eventLoop.makeCompletedFuture { try LinkedSockets.wrap(channel) }
      }
      try await client.executeThenClose { inbound, outbound in
        _ = try await LinkEnd(inbound: inbound, outbound: outbound).receiveAll()
      }
    }
    try await link.waitForConnection()
    let figures = try await link.figures()
    #expect(figures.connectionsAccepted == 1)
    #expect(figures.targetsUnreachable == (isRefusing ? 0 : 1))
    await link.close()
    await link.close()
  }

  @Test("What is no address is refused", arguments: ["", "host", "host:port", "host:65536"])
  func badTargets(_ target: String) async {
    let error = await #expect(throws: TransportError.self) {
      _ = try await FaultyLink.start(to: ServerAddress(target))
    }
    #expect(error?.code == .badAddress)
  }
}

extension FaultyLink {
  /// A client may see its reset before the link has counted what led to it.
  fileprivate func waitForConnection() async throws {
    while try await self.figures().connectionsAccepted == 0 { await Task.yield() }
  }
}
