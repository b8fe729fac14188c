import NIOCore
import Testing

@testable import StreamMux

/// What one side sent, from its first byte to its last, against the rules that a sender has to keep.
struct WireAudit {
  private struct HalfStream {
    var hasEnded = false
    var wasStopped = false
    var limit: UInt64 = 0
  }

  private let role: Role
  private let framePayload: Int
  private var streams: [UInt64: HalfStream] = [:]
  private var nextID: UInt64
  private var totals: [TrafficClass: UInt64] = [:]
  private var lastGoAway = UInt64.max
  private var ignorable = 0
  private(set) var frames = 0
  private(set) var problems: [String] = []

  init(_ bytes: ByteBuffer, from role: Role, isChecksummed: Bool, framePayload: Int) {
    self.role = role
    self.framePayload = framePayload
    nextID = role.firstStreamID
    var bytes = bytes
    guard bytes.readBytes(length: 8) == ProtocolConstants.preface else {
      problems = ["no preface"]
      return
    }
    var decoder = FrameDecoder(maximumFramePayload: 65_536)
    decoder.append(bytes)
    do throws(Violation) {
      while let event = try decoder.next() {
        if case .frame(.hello(let payload)) = event { checkHello(payload) }
        if case .frame(.welcome(.accepted)) = event { decoder.endHandshake(isChecksummed: isChecksummed) }
        check(event)
      }
    } catch {
      problems.append("\(error)")
    }
    if ignorable != 1 { problems.append("\(ignorable) frames to ignore") }
  }

  private mutating func checkHello(_ payload: ByteBuffer) {
    guard let hello = try? Hello(decoding: payload) else { return problems.append("HELLO") }
    if role == .acceptor, !hello.targetServerID.isEmpty { problems.append("an acceptor with a target") }
  }

  private mutating func check(_ event: FrameEvent) {
    frames += 1
    switch event {
    case .data(let header): check(header)
    case .payload: frames -= 1
    case .ignorable(_, let length):
      ignorable += 1
      if length > 32 { problems.append("a frame to ignore of \(length) bytes") }
    case .frame(let frame): check(frame)
    }
  }

  private mutating func check(_ header: DataHeader) {
    if ignorable == 0 { problems.append("DATA before the frame to ignore") }
    if header.opening != nil {
      if header.stream != nextID { problems.append("opened \(header.stream) where \(nextID) is next") }
      nextID += 2
      streams[header.stream] = HalfStream()
    }
    if header.byteCount + (header.opening == nil ? 0 : 8) > framePayload { problems.append("a large frame") }
    if header.hasMore && header.isLast { problems.append("MORE with FIN") }
    guard isKnown(header.stream) else { return problems.append("DATA for \(header.stream)") }
    if streams[header.stream, default: .init()].hasEnded { problems.append("DATA behind the end") }
    if header.isLast { streams[header.stream, default: .init()].hasEnded = true }
  }

  /// The peer's streams are known from the first frame about them: what the peer sent is not looked at.
  private func isKnown(_ id: UInt64) -> Bool { !role.opens(id) || streams[id] != nil }

  private mutating func check(_ frame: Frame) {
    switch frame {
    case .reset(let id, let code):
      if !isKnown(id) || code == .none { problems.append("RESET for \(id) with \(code)") }
      if streams[id, default: .init()].hasEnded { problems.append("RESET behind the end") }
      streams[id, default: .init()].hasEnded = true
    case .stop(let id, let code):
      if !isKnown(id) || code == .none { problems.append("STOP for \(id) with \(code)") }
      if streams[id, default: .init()].wasStopped { problems.append("STOP twice") }
      streams[id, default: .init()].wasStopped = true
    case .credit(let id, let limit):
      if streams[id, default: .init()].wasStopped { problems.append("CREDIT behind STOP") }
      if streams[id, default: .init()].limit >= limit { problems.append("CREDIT that does not grow") }
      streams[id, default: .init()].limit = limit
    case .streams(let trafficClass, let total):
      if totals[trafficClass, default: 0] >= total { problems.append("STREAMS that does not grow") }
      totals[trafficClass] = total
    case .goAway(let goAway):
      if goAway.lastStream > lastGoAway { problems.append("a last id that grows") }
      lastGoAway = goAway.lastStream
    case .hello, .authentication, .welcome, .ping, .pong: break
    }
  }
}

@Suite("What the engine sends")
struct WireAuditTests {
  // R-FRM-1, R-FRM-5, R-FRM-12, R-FRM-17, R-FRM-23, R-HSK-38, R-STR-1, R-STR-11, R-STR-22, R-STR-23,
  // R-FLW-3, R-FLW-7, R-FLW-20, R-DRN-8, R-ERR-4
  @Test("keeps the rules of a sender, whatever its owner does", arguments: 1...60 as ClosedRange<UInt64>)
  func audit(seed: UInt64) throws {
    var run = try RandomRun(seed: seed, recordsBytes: true)
    run.operate(steps: 100)
    run.quiesce()
    for side in PairOfEngines.Side.allCases {
      let options = run.pair.options
      let audit = WireAudit(
        run.pair.sent[side], from: side.role, isChecksummed: options.features.contains(.crc32),
        framePayload: options.configuration[side.other].limits.maximumFramePayload)
      #expect(audit.problems.isEmpty, "seed \(seed), \(side): \(audit.problems.prefix(5))")
      #expect(audit.frames > 10)
    }
  }

  // R-FRM-22, R-STR-10
  @Test("MORE says that more was queued, and nothing else does")
  func more() throws {
    var lone = try LoneEngine(.dialler)
    let key = try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    lone.engine.write(ByteBuffer(repeating: 1, count: 150_000), to: key)
    let headers = try lone.sentFrames().compactMap { if case .data(let header) = $0 { header } else { nil } }
    #expect(headers.map(\.hasMore) == [true, true, false])
    #expect(headers.allSatisfy { !$0.isLast && ($0.opening?.group ?? 0) == 0 })
  }

  // R-FLW-5
  @Test("FIN, RESET and STOP do not wait for credit")
  func withoutCredit() throws {
    var lone = try LoneEngine(.dialler)
    let keys = try (0..<2).map { _ in
      try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    }
    for key in keys { lone.engine.write(ByteBuffer(repeating: 1, count: 256 * 1_024), to: key) }
    _ = try lone.sentFrames()
    lone.engine.finish(keys[0])
    lone.engine.release(keys[1])
    let sent = try lone.sentFrames()
    #expect(sent.contains(.data(DataHeader(stream: 1, isLast: true, byteCount: 0))))
    #expect(sent.contains(.frame(.reset(stream: 3, code: .cancelled))))
    #expect(sent.contains(.frame(.stop(stream: 3, code: .cancelled))))
  }

  // R-SCH-1, R-SCH-6
  @Test("control frames go first, and a RESET takes the place of what was queued")
  func controlFirst() throws {
    var lone = try LoneEngine(.dialler)
    let keys = try (0..<2).map { _ in
      try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    }
    for key in keys { lone.engine.write(ByteBuffer(string: "open"), to: key) }
    _ = try lone.sentFrames()
    for key in keys { lone.engine.write(ByteBuffer(string: "queued"), to: key) }
    lone.receive(.ping(7))
    lone.engine.reset(keys[0], code: .deadlineExceeded)
    let sent = try lone.sentFrames().filter { if case .payload = $0 { false } else { true } }
    #expect(
      sent == [
        .frame(.pong(7)), .frame(.reset(stream: 1, code: .deadlineExceeded)),
        .data(DataHeader(stream: 3, byteCount: 6)),
      ])
  }

  // R-SCH-12, R-SCH-13
  @Test("a stream that nobody reads, with its window full, holds back no other and no answer to PING")
  func stuckStream() throws {
    var lone = try LoneEngine()
    lone.receiveOpening(1)
    for _ in 0..<4 {
      lone.receive(DataHeader(stream: 1, byteCount: 65_536), String(repeating: "x", count: 65_536))
    }
    lone.receiveOpening(3, .election)
    lone.receive(DataHeader(stream: 3, byteCount: 4), "vote")
    lone.receive(.ping(1))
    #expect(summary(lone.events[lone.events.count - 1]).hasSuffix(" 4"))
    #expect(try lone.sentFrames() == [.frame(.pong(1))])
  }
}

@Suite("What the engine takes without a word")
struct ToleranceTests {
  // R-STR-17, R-FLW-4
  @Test("CREDIT for a half that has ended is ignored")
  func creditBehindEnd() throws {
    var lone = try LoneEngine()
    lone.receiveOpening(1)
    guard case .opened(let key, _)? = lone.events.first else {
      Issue.record("no stream")
      return
    }
    lone.engine.finish(key)
    _ = try lone.sentFrames()
    lone.receive(.credit(stream: 1, limit: .max))
    #expect(try lone.sentFrames() == [])
    #expect(lone.engine.phase == .running)
  }

  // R-ERR-2, R-ERR-1
  @Test("an unknown code ends its half like any other")
  func unknownCode() throws {
    let code = ErrorCode(rawValue: 0xDEAD_BEEF)
    var lone = try LoneEngine()
    lone.receiveOpening(1)
    lone.receive(.reset(stream: 1, code: code))
    lone.receive(.stop(stream: 1, code: code))
    #expect(try lone.sentFrames() == [.frame(.reset(stream: 1, code: code))])
    #expect(lone.engine.phase == .running)
  }

  // R-ERR-3, R-DRN-24
  @Test("an unknown code in GOAWAY is an error of the peer's")
  func unknownCodeInGoAway() throws {
    var lone = try LoneEngine()
    lone.receiveOpening(1)
    lone.receive(.goAway(GoAway(lastStream: 0, code: ErrorCode(rawValue: 0x7777))))
    let ending = lone.events.contains { if case .ending(.peerError) = $0 { true } else { false } }
    #expect(ending)
  }

  // R-ERR-5
  @Test("code 0 in GOAWAY drains like shutdown")
  func noneInGoAway() throws {
    var lone = try LoneEngine()
    lone.receiveOpening(1)
    lone.receive(.goAway(GoAway(lastStream: 0, code: .none)))
    #expect(lone.engine.phase == .running)
    #expect(throws: OpenError.draining) {
      try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    }
  }

  // R-FLW-8, R-STR-19
  @Test("bytes for a half that was stopped are dropped, and count as consumed")
  func droppedBytes() throws {
    var lone = try LoneEngine()
    lone.receiveOpening(1)
    guard case .opened(let key, _)? = lone.events.first else {
      Issue.record("no stream")
      return
    }
    lone.engine.stop(key, code: .notNeeded)
    lone.receive(DataHeader(stream: 1, byteCount: 1_000), String(repeating: "x", count: 1_000))
    #expect(lone.engine.streamFigures(key)?.consumed == 1_000)
    #expect(lone.events.count == 1)
    #expect(try lone.sentFrames() == [.frame(.stop(stream: 1, code: .notNeeded))])
  }

  // R-FLW-24
  @Test("a refused stream of a known class takes a place of its class until it ends")
  func refusedCounts() throws {
    var lone = try LoneEngine()
    let opening = DataHeader.Opening(trafficClass: 3, encoding: 7, group: 0)
    for index: UInt64 in 0..<9 {
      lone.receive(DataHeader(stream: 1 + 2 * index, opening: opening, byteCount: 0))
    }
    #expect(try lone.goAwayCode() == .streamLimit)
  }
}
