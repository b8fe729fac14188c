import NIOCore
import RaftTransport
import RaftTransportTesting
import Testing

/// Sockets through links that have a rate, a delay and a queue. Nothing here waits for a time to be short.
@Suite("Links with a profile")
struct LinkProfileTests {
  private static func text(_ count: Int) -> String {
    String(decoding: (0..<count).lazy.map { UInt8(97 + $0 % 23) }, as: UTF8.self)
  }

  @Test(
    "Bytes arrive unchanged through every kind of link, both ways at once",
    arguments: [
      LinkProfile(delay: .milliseconds(10), bytesPerSecond: 20_000_000, queueBytes: 200_000),
      LinkProfile(delay: .milliseconds(3), bytesPerSecond: 20_000_000, queueBytes: 1_024),
      LinkProfile(delay: .milliseconds(2), bytesPerSecond: 50_000_000, jitter: .milliseconds(5), seed: 7),
      LinkProfile(delay: .milliseconds(1), queueBytes: 32 << 10, jitter: .milliseconds(2)),
      LinkProfile(
        bytesPerSecond: 30_000_000, stalls: .init(interval: .milliseconds(20), length: .milliseconds(10))),
    ])
  func unchanged(_ profile: LinkProfile) async throws {
    try await LinkedSockets.withLink(profile: profile) { _, near, far in
      let text = Self.text(1_500_000)
      async let there = far.receiveAll()
      async let back = near.receiveAll()
      async let sent: Void = near.send(text)
      try await far.send(text)
      try await sent
      near.outbound.finish()
      far.outbound.finish()
      #expect(try await there == text)
      #expect(try await back == text)
    }
  }

  @Test("An answer takes two delays or more, and bytes take their time on the wire or more")
  func takesItsTime() async throws {
    let profile = LinkProfile(delay: .milliseconds(15), bytesPerSecond: 1_000_000)
    try await LinkedSockets.withLink(profile: profile) { _, near, far in
      let start = ContinuousClock.now
      try await near.send("ask")
      #expect(try await far.receive(3) == "ask")
      try await far.send(Self.text(20_000))
      #expect(try await near.receive(20_000) == Self.text(20_000))
      #expect(ContinuousClock.now - start >= .milliseconds(30 + 20))
    }
  }

  @Test("A full queue stops the sender, and nothing is lost by it")
  func backPressure() async throws {
    let profile = LinkProfile(delay: .milliseconds(1), bytesPerSecond: 200_000_000, queueBytes: 100_000)
    try await LinkedSockets.withLink(profile: profile) { link, near, far in
      try await link.stall(.toTarget)
      let text = Self.text(12_000_000)
      async let sent: Void = near.send(text)
      var queued = 0
      while queued < profile.queueBytes {
        queued = try await link.figures().queuedBytes[.toTarget] ?? 0
        await Task.yield()
      }
      // The other way is open; some exchanges later still nothing more has come in.
      for _ in 0..<50 {
        try await far.send("!")
        #expect(try await near.receive(1) == "!")
        queued = max(queued, try await link.figures().queuedBytes[.toTarget] ?? 0)
      }
      #expect(queued <= profile.queueBytes + 65_536)
      #expect(try await link.figures().bytesForwarded[.toTarget] == 0)
      async let received = far.receive(text.utf8.count)
      try await link.resume(.toTarget)
      try await sent
      #expect(try await received == text)
    }
  }

  @Test("A link may change while bytes are under way")
  func changes() async throws {
    try await LinkedSockets.withLink(profile: .hundredMegabit80ms) { link, near, far in
      let text = Self.text(3_000_000)
      async let received = far.receiveAll()
      async let sent: Void = near.send(text)
      for step in 0..<20 {
        try await link.apply(
          LinkProfile(
            delay: .milliseconds(step % 5), bytesPerSecond: step % 4 == 0 ? nil : step * 3_000_000,
            queueBytes: 10_000 * (step + 1)), .toTarget)
        try await link.stall(.toTarget)
        _ = try await link.figures()
        try await link.resume(.toTarget)
      }
      try await link.apply(.unlimited, .toTarget)
      try await sent
      near.outbound.finish()
      #expect(try await received == text)
    }
  }

  @Test("An outage of both directions ends by itself, and the connection lives")
  func outage() async throws {
    try await LinkedSockets.withLink { link, near, far in
      let start = ContinuousClock.now
      try await link.stall(.toTarget, for: .milliseconds(40))
      try await link.stall(.toClient, for: .milliseconds(40))
      try await near.send("through")
      #expect(try await far.receive(7) == "through")
      try await far.send("and back")
      #expect(try await near.receive(8) == "and back")
      #expect(ContinuousClock.now - start >= .milliseconds(39))
    }
  }

  @Test("Healing returns to the profile that the link began with")
  func healsToTheProfile() async throws {
    let profile = LinkProfile(delay: .milliseconds(5), bytesPerSecond: 10_000_000)
    try await LinkedSockets.withLink(profile: profile) { link, near, far in
      try await link.delay(.seconds(50), .toTarget)
      try await link.stall(.toClient)
      try await link.heal()
      let start = ContinuousClock.now
      try await near.send("ask")
      #expect(try await far.receive(3) == "ask")
      #expect(ContinuousClock.now - start >= .milliseconds(5))
      try await far.send("answer")
      #expect(try await near.receive(6) == "answer")
    }
  }

  @Test("A profile out of range is refused before anything starts, and changes nothing")
  func refusesNonsense() async throws {
    let error = await #expect(throws: TransportError.self) {
      _ = try await FaultyLink.start(to: ServerAddress("127.0.0.1:9"), profile: LinkProfile(queueBytes: 1))
    }
    #expect(error?.code == .badConfiguration)
    try await LinkedSockets.withLink { link, near, far in
      await #expect(throws: TransportError.self) { try await link.throttle(bytesPerSecond: 1, .toTarget) }
      await #expect(throws: TransportError.self) { try await link.delay(.seconds(-1), .toClient) }
      try await near.send("still")
      #expect(try await far.receive(5) == "still")
    }
  }
}
