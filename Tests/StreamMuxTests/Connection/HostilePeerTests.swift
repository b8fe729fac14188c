import NIOCore
import Testing

@testable import StreamMux

/// One engine behind its handshake, and a hand that writes frames for its peer.
struct LoneEngine {
  var engine: MuxConnection
  let now = PairOfEngines.start
  var events: [MuxEvent] = []
  let role: Role

  /// - Parameter role: that of the engine; the hand plays the other.
  init(_ side: PairOfEngines.Side = .acceptor, configuration: MuxConfiguration = .defaults) throws {
    var options = PairOfEngines.Options()
    options.configuration = PairOfEngines.Sided(configuration)
    var pair = try PairOfEngines.established(options)
    // What is on the way to the other side (the frame to ignore) is nobody's now.
    pair.run()
    engine = pair.engines[side]
    role = side.role
  }

  mutating func receive(_ write: (inout ByteBuffer) -> Void) {
    var buffer = ByteBuffer()
    write(&buffer)
    engine.receive(buffer, now: now)
    while let event = engine.nextEvent() { events.append(event) }
  }

  mutating func receive(_ frame: Frame) {
    receive { FrameEncoder().write(frame, into: &$0) }
  }

  mutating func receive(_ header: DataHeader, _ payload: String = "") {
    receive { FrameEncoder().write(header, payload: ByteBuffer(string: payload), into: &$0) }
  }

  mutating func receiveHeader(_ header: FrameHeader, payload: [UInt8] = []) {
    receive { buffer in
      header.write(into: &buffer)
      buffer.writeBytes(payload)
    }
  }

  /// The peer opens its next stream.
  mutating func receiveOpening(_ id: UInt64, _ trafficClass: TrafficClass = .append, isLast: Bool = false) {
    let opening = DataHeader.Opening(StreamOpening(trafficClass: trafficClass))
    receive(DataHeader(stream: id, opening: opening, isLast: isLast, byteCount: 0))
  }

  /// All frames that the engine sends now.
  mutating func sentFrames() throws -> [FrameEvent] {
    var decoder = FrameDecoder(maximumFramePayload: 65_536)
    decoder.endHandshake(isChecksummed: false)
    while let bytes = engine.nextTransmission(limit: 65_536, now: now) { decoder.append(bytes) }
    var frames: [FrameEvent] = []
    while let frame = try decoder.next() { frames.append(frame) }
    while let event = engine.nextEvent() { events.append(event) }
    return frames
  }

  /// The code of the GOAWAY that ends what the engine sends, if it does.
  mutating func goAwayCode() throws -> ErrorCode? {
    guard case .frame(.goAway(let goAway))? = try sentFrames().last else { return nil }
    return goAway.code
  }
}

@Suite("A hostile peer")
struct HostilePeerTests {
  struct Sin: Sendable, CustomTestStringConvertible {
    let name: String
    let code: ErrorCode
    let commit: @Sendable (inout LoneEngine) -> Void

    init(_ name: String, _ code: ErrorCode, _ commit: @escaping @Sendable (inout LoneEngine) -> Void) {
      self.name = name
      self.code = code
      self.commit = commit
    }

    var testDescription: String { name }
  }

  private static func opening(_ trafficClass: UInt8 = 2, _ encoding: UInt8 = 0) -> DataHeader.Opening {
    DataHeader.Opening(trafficClass: trafficClass, encoding: encoding, group: 0)
  }

  /// The engine is the acceptor: the hand opens odd ids.
  static let sins: [Sin] = [
    Sin("an unassigned frame type", .protocolViolation) { $0.receiveHeader(FrameHeader(type: 0x3F)) },
    Sin("type 0", .protocolViolation) { $0.receiveHeader(FrameHeader(type: 0)) },
    Sin("a frame that needs negotiation", .protocolViolation) { $0.receiveHeader(FrameHeader(type: 0x40)) },
    Sin("an unknown flag on DATA", .protocolViolation) {
      $0.receiveHeader(FrameHeader(type: 0x10, flags: 0x08, stream: 1))
    },
    Sin("a flag on PING", .protocolViolation) {
      $0.receiveHeader(
        FrameHeader(type: 0x20, flags: 1, payloadLength: 8), payload: Array(repeating: 0, count: 8))
    },
    Sin("PING on a stream", .protocolViolation) {
      $0.receiveHeader(FrameHeader(type: 0x20, payloadLength: 8, stream: 1))
    },
    Sin("DATA on stream 0", .protocolViolation) { $0.receiveHeader(FrameHeader(type: 0x10)) },
    Sin("a class where none is due", .protocolViolation) {
      $0.receiveHeader(FrameHeader(type: 0x12, trafficClass: 1, payloadLength: 4, stream: 1))
    },
    Sin("STREAMS without a class", .protocolViolation) {
      $0.receiveHeader(FrameHeader(type: 0x14, payloadLength: 8))
    },
    Sin("a frame that is too large", .frameSize) {
      $0.receiveHeader(FrameHeader(type: 0x10, payloadLength: 65_537, stream: 1))
    },
    Sin("a RESET of 5 bytes", .frameSize) {
      $0.receiveHeader(FrameHeader(type: 0x12, payloadLength: 5, stream: 1))
    },
    Sin("an opening without room for a group", .frameSize) {
      $0.receiveHeader(FrameHeader(type: 0x10, flags: 1, trafficClass: 2, payloadLength: 7, stream: 1))
    },
    Sin("HELLO again", .protocolViolation) { $0.receive(.hello(ByteBuffer(string: "x"))) },
    Sin("WELCOME again", .protocolViolation) { $0.receive(.welcome(.accepted(grantsRoute: true))) },
    Sin("an id of our side", .protocolViolation) {
      $0.receive(DataHeader(stream: 2, opening: opening(), byteCount: 0))
    },
    Sin("a gap between ids", .protocolViolation) {
      $0.receive(DataHeader(stream: 3, opening: opening(), byteCount: 0))
    },
    Sin("an id that was used", .protocolViolation) {
      $0.receiveOpening(1)
      $0.receiveOpening(1)
    },
    Sin("the largest id first", .protocolViolation) {
      $0.receive(DataHeader(stream: .max, opening: opening(), byteCount: 0))
    },
    Sin("DATA for a stream that was never opened", .protocolViolation) {
      $0.receive(DataHeader(stream: 1, byteCount: 1), "x")
    },
    Sin("DATA for a stream of ours that was never opened", .protocolViolation) {
      $0.receive(DataHeader(stream: 2, byteCount: 1), "x")
    },
    Sin("CREDIT for a stream that was never opened", .protocolViolation) {
      $0.receive(.credit(stream: 1, limit: 1))
    },
    Sin("RESET for a stream that was never opened", .protocolViolation) {
      $0.receive(.reset(stream: 7, code: .cancelled))
    },
    Sin("STOP for a stream that was never opened", .protocolViolation) {
      $0.receive(.stop(stream: 4, code: .cancelled))
    },
    Sin("DATA behind FIN", .streamState) {
      $0.receiveOpening(1, isLast: true)
      $0.receive(DataHeader(stream: 1, byteCount: 1), "x")
    },
    Sin("empty DATA behind FIN", .streamState) {
      $0.receiveOpening(1, isLast: true)
      $0.receive(DataHeader(stream: 1, byteCount: 0))
    },
    Sin("a second FIN", .streamState) {
      $0.receiveOpening(1, isLast: true)
      $0.receive(DataHeader(stream: 1, isLast: true, byteCount: 0))
    },
    Sin("DATA behind RESET", .streamState) {
      $0.receiveOpening(1)
      $0.receive(.reset(stream: 1, code: .cancelled))
      $0.receive(DataHeader(stream: 1, byteCount: 1), "x")
    },
    Sin("a second RESET", .streamState) {
      $0.receiveOpening(1)
      $0.receive(.reset(stream: 1, code: .cancelled))
      $0.receive(.reset(stream: 1, code: .cancelled))
    },
    Sin("DATA for a stream that is forgotten", .streamState) {
      $0.receive(DataHeader(stream: 1, opening: opening(9), isLast: true, byteCount: 0))
      _ = try? $0.sentFrames()
      $0.receive(DataHeader(stream: 1, byteCount: 1), "x")
    },
    Sin("one byte beyond the window", .flowControl) { lone in
      lone.receiveOpening(1)
      for _ in 0..<4 {
        lone.receive(DataHeader(stream: 1, byteCount: 65_536), String(repeating: "x", count: 65_536))
      }
      lone.receive(DataHeader(stream: 1, byteCount: 1), "x")
    },
    Sin("one stream beyond the credit", .streamLimit) { lone in
      for index: UInt64 in 0..<9 { lone.receiveOpening(1 + 2 * index, .snapshot) }
    },
    Sin("a GOAWAY that raises its last stream", .protocolViolation) {
      $0.receiveOpening(1)  // Else the connection would be over in good order.
      $0.receive(.goAway(GoAway(lastStream: 2, code: .shutdown)))
      $0.receive(.goAway(GoAway(lastStream: 4, code: .shutdown)))
    },
    Sin("too many PINGs", .excessiveLoad) { lone in
      for number: UInt64 in 0..<33 { lone.receive(.ping(number)) }
    },
    Sin("too many frames to ignore", .excessiveLoad) { lone in
      for _ in 0..<65 { lone.receiveHeader(FrameHeader(type: 0x99)) }
    },
    Sin("a frame to ignore that is too large", .excessiveLoad) {
      $0.receiveHeader(FrameHeader(type: 0x99, payloadLength: 4_097))
    },
    Sin("too much empty DATA", .excessiveLoad) { lone in
      lone.receiveOpening(1)
      for _ in 0..<65 { lone.receive(DataHeader(stream: 1, byteCount: 0)) }
    },
    Sin("too much tiny DATA", .excessiveLoad) { lone in
      lone.receiveOpening(1)
      for _ in 0..<1_025 { lone.receive(DataHeader(stream: 1, hasMore: true, byteCount: 1), "x") }
    },
    Sin("too many credits that do not grow", .excessiveLoad) { lone in
      lone.receiveOpening(1)
      for _ in 0..<1_025 { lone.receive(.credit(stream: 1, limit: 1)) }
    },
    Sin("too many STREAMS that do not grow", .excessiveLoad) { lone in
      for _ in 0..<65 { lone.receive(.streams(.append, limit: 0)) }
    },
    Sin("too many PONGs that answer nothing", .excessiveLoad) { lone in
      for number: UInt64 in 0..<1_025 { lone.receive(.pong(number)) }
    },
    Sin("too many streams that must be refused", .excessiveLoad) { lone in
      for index: UInt64 in 0..<1_025 {
        lone.receive(DataHeader(stream: 1 + 2 * index, opening: opening(9), isLast: true, byteCount: 0))
        if lone.engine.phase == .running { _ = try? lone.sentFrames() }
      }
    },
  ]

  // R-FRM-6, R-FRM-8, R-FRM-9, R-FRM-11, R-FRM-14, R-FRM-15, R-FRM-18, R-FRM-19, R-FRM-21, R-FRM-25,
  // R-HSK-28, R-STR-2, R-STR-3, R-STR-12, R-STR-13, R-FLW-2, R-FLW-19, R-DRN-9, R-DRN-17, R-DRN-18,
  // R-LIM-3, R-LIV-3
  @Test("each sin ends the connection with its code", arguments: sins)
  func code(sin: Sin) throws {
    var lone = try LoneEngine()
    sin.commit(&lone)
    guard case .ending(.violation(let violation))? = lone.events.last(where: isEnding) else {
      Issue.record("the connection goes on: \(lone.events.suffix(3).map(summary))")
      return
    }
    #expect(violation.code == sin.code, "\(violation)")
    #expect(try lone.goAwayCode() == sin.code)
    #expect(lone.events.contains { if case .shouldCloseOutput = $0 { true } else { false } })
  }

  private func isEnding(_ event: MuxEvent) -> Bool {
    if case .ending = event { true } else { false }
  }

  // R-LIM-4, R-LIM-8, R-LIV-1
  @Test("the last frame before each limit is legal")
  func limits() throws {
    var lone = try LoneEngine()
    // One of each came behind the handshake of the pair.
    for number: UInt64 in 0..<31 { lone.receive(.ping(number)) }
    for _ in 0..<63 { lone.receiveHeader(FrameHeader(type: 0x99)) }
    for index: UInt64 in 0..<8 { lone.receiveOpening(1 + 2 * index, .snapshot) }
    for _ in 0..<64 { lone.receive(DataHeader(stream: 1, byteCount: 0)) }
    for _ in 0..<4 {
      lone.receive(DataHeader(stream: 3, byteCount: 65_536), String(repeating: "x", count: 65_536))
    }
    #expect(lone.engine.phase == .running)
    let pongs = try lone.sentFrames().count { if case .frame(.pong) = $0 { true } else { false } }
    #expect(pongs == 8)
  }

  // R-STR-5, R-STR-6, R-STR-7, R-STR-9, R-ERR-1
  @Test(
    "an unknown class or encoding costs its stream, not the connection",
    arguments: [
      (9, 0, ErrorCode.unknownClass), (0, 0, .unknownClass), (2, 1, .unknownEncoding),
      (3, 7, .unknownEncoding),
    ])
  func unknownOpening(trafficClass: Int, encoding: Int, code: ErrorCode) throws {
    var lone = try LoneEngine()
    let opening = Self.opening(UInt8(trafficClass), UInt8(encoding))
    lone.receive(DataHeader(stream: 1, opening: opening, byteCount: 3), "abc")
    #expect(
      try lone.sentFrames() == [.frame(.reset(stream: 1, code: code)), .frame(.stop(stream: 1, code: code))])
    // What is on the way meanwhile is dropped.
    lone.receive(DataHeader(stream: 1, byteCount: 3), "def")
    lone.receive(.reset(stream: 1, code: code))
    #expect(lone.engine.phase == .running)
    #expect(lone.events.isEmpty)
    #expect(lone.engine.streams.count == 0)
  }

  // R-ERR-9
  @Test("credits at the end of the numbers do not trap")
  func largestCredit() throws {
    var lone = try LoneEngine()
    lone.receiveOpening(1)
    for limit in [.max, .max - 1, 0] as [UInt64] { lone.receive(.credit(stream: 1, limit: limit)) }
    for trafficClass in TrafficClass.allCases { lone.receive(.streams(trafficClass, limit: .max)) }
    let key = try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    lone.engine.write(ByteBuffer(string: "x"), to: key)
    _ = try lone.sentFrames()
    lone.receive(.credit(stream: 2, limit: .max))
    #expect(lone.engine.phase == .running)
  }

  // R-ERR-9
  @Test("random frames never trap", arguments: 1...100 as ClosedRange<UInt64>)
  func randomFrames(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    var lone = try LoneEngine(Bool.random(using: &generator) ? .acceptor : .dialler)
    if let key = try? lone.engine.open(StreamOpening(trafficClass: .election), now: lone.now) {
      lone.engine.write(ByteBuffer(string: "own"), to: key)
      _ = try lone.sentFrames()
    }
    for _ in 0..<300 where lone.engine.phase == .running {
      let ids: [UInt64] = [0, 1, 2, 3, 4, 5, .max]
      let id = ids.randomElement(using: &generator) ?? 1
      let type = FrameType.allCases.randomElement(using: &generator) ?? .data
      let length = type == .data ? Int.random(in: 0...40, using: &generator) : type.payloadLengths.lowerBound
      let flags: UInt8 = type == .data ? UInt8.random(in: 0...7, using: &generator) : 0
      let opens = flags & 1 == 1
      let trafficClass: UInt8 =
        opens || type == .streams ? UInt8.random(in: 0...4, using: &generator) : 0
      lone.receiveHeader(
        FrameHeader(
          type: type.rawValue, flags: flags, trafficClass: trafficClass, payloadLength: UInt32(length),
          stream: type.isOnStream ? id : 0),
        payload: (0..<length).map { _ in .random(in: .min ... .max, using: &generator) })
      for event in lone.events {
        if case .data(let key, let bytes) = event { lone.engine.consume(bytes.readableBytes, of: key) }
        if case .finished(let key) = event { lone.engine.release(key) }
      }
      lone.events = []
      if Bool.random(using: &generator) { _ = try lone.sentFrames() }
    }
  }
}
