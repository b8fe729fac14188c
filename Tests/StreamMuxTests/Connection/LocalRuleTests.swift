import NIOCore
import Testing

@testable import StreamMux

@Suite("What no single frame shows")
struct LocalRuleTests {
  private func openedStreams(_ lone: inout LoneEngine, _ count: Int) throws -> [StreamKey] {
    for number in 0..<count { lone.receiveOpening(UInt64(2 * number + 1)) }
    let keys = lone.events.compactMap { event -> StreamKey? in
      if case .opened(let key, _) = event { key } else { nil }
    }
    try #require(keys.count == count)
    return keys
  }

  private func receive(_ count: Int, on stream: UInt64, _ lone: inout LoneEngine) {
    var left = count
    while left > 0 {
      let piece = min(left, 16_384)
      lone.receive(DataHeader(stream: stream, byteCount: piece), String(repeating: "x", count: piece))
      left -= piece
    }
  }

  // R-FLW-9
  @Test("of several limits that wait for the socket only the newest is sent")
  func newestLimit() throws {
    var lone = try LoneEngine()
    let key = try openedStreams(&lone, 1)[0]
    receive(200_000, on: 1, &lone)
    for _ in 0..<2 { lone.engine.consume(100_000, of: key) }
    #expect(try lone.sentFrames() == [.frame(.credit(stream: 1, limit: 262_144 + 200_000))])
  }

  // R-FLW-29
  @Test(
    "a half whose incomplete message holds three quarters of the window has asked for the turn, however it came",
    arguments: [1, 7, 1_000, 4_096, 12_288])
  func asksForTheTurn(piece: Int) throws {
    let limits = try MuxLimits(initialWindow: 16_384)
    var lone = try LoneEngine(configuration: MuxConfiguration(limits: limits))
    let keys = try openedStreams(&lone, 2)
    for (index, key) in keys.enumerated() {
      var held = 0
      while held < 12_288 {
        let count = min(piece, 12_288 - held)
        receive(count, on: UInt64(2 * index + 1), &lone)
        lone.engine.absorb(count, of: key)
        held += count
      }
    }
    #expect(lone.engine.assemblyTurn.holder == keys[0])
    // The second one waits for it, and has it once the first message is whole.
    lone.engine.assembled(keys[0])
    #expect(lone.engine.assemblyTurn.holder == keys[1])
  }

  // R-LIV-12
  @Test("the round trip is known from the start, without a call and without waiting")
  func firstRoundTrip() throws {
    var options = PairOfEngines.Options()
    options.link.delay = .milliseconds(40)
    var pair = try PairOfEngines(options)
    pair.run()
    #expect(pair.now - PairOfEngines.start < .seconds(1))
    for side in PairOfEngines.Side.allCases {
      #expect(pair.engines[side].figures.framesSent.ping == 1)
      #expect(pair.engines[side].path.minimumRoundTrip == .milliseconds(80))
    }
  }

  // R-FLW-37
  @Test("a receiver that sizes a window measures the round trip at least every two seconds")
  func roundTripWhileSizing() throws {
    var options = PairOfEngines.Options()
    options.link.rate = 2_000_000
    options.link.delay = .milliseconds(20)
    var pair = try PairOfEngines.established(options)
    pair.consumers = [.acceptor]
    let key = try pair.engines.dialler.open(StreamOpening(trafficClass: .snapshot), now: pair.now)
    for step in 0..<5 {
      pair.engines.dialler.write(ByteBuffer(repeating: 1, count: 8_000_000), to: key)
      let before = pair.engines.acceptor.figures.framesSent.ping
      pair.pass(.seconds(2))
      #expect(
        pair.engines.acceptor.figures.framesSent.ping > before, "in the two seconds from \(2 * step) on")
      #expect(pair.engines.dialler.queuedBytes(key) > 0, "it would be no measurement")
    }
  }

  // R-SCH-9
  @Test(
    "a frame with MORE is not cut short because the socket has little room", arguments: TrafficClass.allCases)
  func noTinyFrames(trafficClass: TrafficClass) throws {
    for room in 1...200 {
      var lone = try LoneEngine(.dialler)
      let key = try lone.engine.open(StreamOpening(trafficClass: trafficClass), now: lone.now)
      for _ in 0..<50 { lone.engine.write(ByteBuffer(repeating: 1, count: 101), to: key) }
      var decoder = FrameDecoder(maximumFramePayload: 65_536)
      decoder.endHandshake(isChecksummed: false)
      while let bytes = lone.engine.nextTransmission(limit: room, now: lone.now) { decoder.append(bytes) }
      var total = 0
      while let frame = try decoder.next() {
        guard case .data(let header) = frame else { continue }
        total += header.byteCount
        #expect(!header.hasMore || header.byteCount >= 64, "\(header) with room for \(room)")
      }
      #expect(total == 50 * 101)
    }
  }

  private static let texts = [
    "", "shutdown", "GOAWAY 0 0 retry", String(repeating: "z", count: 512), "\u{0}\u{1B}[2J",
  ]

  private func told(_ event: MuxEvent) -> MuxEvent {
    switch event {
    case .draining(let last, let code, _): .draining(lastID: last, code, "")
    case .ending(.peerError(let code, _)): .ending(.peerError(code, ""))
    case .closed(.peerError(let code, _)): .closed(.peerError(code, ""))
    default: event
    }
  }

  // R-ERR-7
  @Test(
    "the text of a GOAWAY changes nothing", arguments: [ErrorCode.shutdown, .internalError, .displaced],
    texts)
  func textOfGoAway(code: ErrorCode, text: String) throws {
    func run(_ text: String) throws -> (events: [String], sent: [FrameEvent], phase: MuxConnection.Phase) {
      var lone = try LoneEngine()
      for index in 0..<3 { lone.receiveOpening(UInt64(2 * index + 1), isLast: index == 2) }
      for _ in 0..<2 { lone.receive(.goAway(GoAway(lastStream: 4, code: code, text: text))) }
      let sent = try lone.sentFrames()
      let phase: MuxConnection.Phase = lone.engine.phase.isOver ? .ending(.endOfInput) : lone.engine.phase
      return (lone.events.map { summary(told($0)) }, sent, phase)
    }
    let (plain, other) = (try run("-"), try run(text))
    #expect(plain == other)
  }

  // R-ERR-7
  @Test("the text of a refusal changes nothing", arguments: [ErrorCode.busy, .duplicate], texts)
  func textOfWelcome(code: ErrorCode, text: String) throws {
    for role in [Role.dialler, .acceptor] {
      var (machine, _, _) = try afterHello(role)
      let refusal = Refusal(code: code, text: text, winner: nil)
      #expect(machine.receive(.frame(.welcome(.refused(refusal)))) == [.refusedByPeer(refusal)])
      #expect(machine.isFinished && !machine.isEstablished)
    }
  }
}

@Suite("Behind the last frame")
struct AfterTheEndTests {
  enum End: CaseIterable, Sendable {
    case error, refusal
  }

  private let now = PairOfEngines.start

  /// An acceptor that has ended its connection and sent its last frame.
  private func ended(_ end: End) throws -> MuxConnection {
    var engine: MuxConnection
    switch end {
    case .error:
      var lone = try LoneEngine()
      lone.receiveHeader(FrameHeader(type: 0x3F))
      engine = lone.engine
    case .refusal:
      var options = PairOfEngines.Options()
      options.acceptsAtOnce = false
      var pair = try PairOfEngines(options)
      pair.run()
      engine = pair.engines.acceptor
      engine.refuse(Refusal(code: .busy, text: "", winner: nil), now: now)
    }
    while engine.nextTransmission(limit: 65_536, now: now) != nil {}
    var events: [MuxEvent] = []
    while let event = engine.nextEvent() { events.append(event) }
    let closesOutput = events.contains { if case .shouldCloseOutput = $0 { true } else { false } }
    try #require(closesOutput)
    return engine
  }

  // R-DRN-20, R-HSK-24
  @Test(
    "what still comes is read and dropped until the peer closes, and then all is over",
    arguments: End.allCases)
  func reads(_ end: End) throws {
    var engine = try ended(end)
    for _ in 0..<1_000 { engine.receive(ByteBuffer(repeating: 0xEE, count: 65_536), now: now) }
    #expect(engine.nextEvent() == nil)
    #expect(!engine.hasTransmission)
    #expect(engine.phase != .closed)
    engine.receiveEndOfInput(now: now)
    #expect(engine.phase == .closed)
  }

  // R-DRN-20, R-HSK-24
  @Test("a peer that goes on for ever is waited for a while only", arguments: End.allCases)
  func givesUp(_ end: End) throws {
    var engine = try ended(end)
    let next = engine.nextDeadline
    let deadline = try #require(next)
    #expect(deadline > now && deadline <= now + .seconds(10))
    engine.receive(ByteBuffer(repeating: 0xEE, count: 65_536), now: deadline)
    #expect(engine.phase != .closed)
    engine.handleTimeout(now: deadline)
    #expect(engine.phase == .closed)
  }
}
