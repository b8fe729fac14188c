import NIOCore
import Testing

@testable import StreamMux

/// What is counted against a peer and what is not: a peer that keeps the rules must never be thrown out, and
/// one that does not must not find a frame that costs nothing.
@Suite("What counts against a peer")
struct FreeOfChargeTests {
  // R-LIM-6: several limits are under way at once on every path with a delay.
  @Test("a frame that ends at an older limit is as large as it may be")
  func endsAtOlderLimit() throws {
    let frame = ProtocolConstants.leastFramePayload
    let small = try MuxLimits(maximumFramePayload: frame, initialWindow: 4 * frame)
    var lone = try LoneEngine(configuration: MuxConfiguration(limits: small))
    lone.receiveOpening(1)
    guard case .opened(let key, _)? = lone.events.first else {
      Issue.record("no stream")
      return
    }
    // Each message is one byte larger than a quarter of the window, and the sender always knows one limit
    // less than was announced: what it cuts last ends at the limit that it knows.
    let quarter = frame
    var limits = [4 * quarter]
    var position = 0
    for _ in 0..<2_000 {
      while position < limits[0] {
        let count = min(frame, limits[0] - position)
        lone.receive(
          DataHeader(stream: 1, hasMore: true, byteCount: count), String(repeating: "x", count: count))
        position += count
      }
      if limits.count > 1 { limits.removeFirst() }
      while limits.count < 3 {
        lone.engine.consume(quarter + 1, of: key)
        limits.append(limits[limits.count - 1] + quarter + 1)
        _ = try lone.sentFrames()
      }
      try #require(lone.engine.phase == .running, "after \(position) bytes: \(lone.engine.phase)")
    }
  }

  @Test("MORE together with FIN is FIN")
  func moreWithFinish() throws {
    let limits = try AbuseLimits(changing: [.tinyData: .init(burst: 1, perSecond: 1)])
    var lone = try LoneEngine(configuration: MuxConfiguration(abuse: limits))
    for id in [1, 3, 5] as [UInt64] {
      lone.receive(
        DataHeader(
          stream: id, opening: .init(StreamOpening(trafficClass: .append)), isLast: true, hasMore: true,
          byteCount: 1), "x")
    }
    #expect(lone.engine.phase == .running)
  }

  // R-ERR-4, R-ERR-5
  @Test("code 0 in STOP is answered as cancelled: a RESET with code 0 must not be sent")
  func codeZero() throws {
    var lone = try LoneEngine()
    lone.receiveOpening(1)
    lone.receiveOpening(3)
    lone.receive(.stop(stream: 1, code: .none))
    lone.receive(.reset(stream: 3, code: .none))
    let sent = try lone.sentFrames()
    #expect(sent == [.frame(.reset(stream: 1, code: .cancelled))])
    let told = lone.events.compactMap { event -> ErrorCode? in
      switch event {
      case .stopped(_, let code), .reset(_, let code): code
      default: nil
      }
    }
    #expect(told == [.cancelled, .cancelled])
  }

  // R-LIM-3, R-ERR-9: each costs a look at every stream.
  @Test("GOAWAY may come twice, and not for ever", arguments: [0x40, UInt64.max])
  func goAwayFlood(last: UInt64) throws {
    var lone = try LoneEngine()
    var frames = 0
    while lone.engine.phase == .running, frames < 5_000 {
      frames += 1
      // Keeps the connection from being over at once.
      if frames == 1 { lone.receiveOpening(1) }
      let named = last == .max ? last : 10_000 - UInt64(frames)
      lone.receive(.goAway(GoAway(lastStream: named, code: .shutdown)))
    }
    #expect(frames == 2 + AbuseLimits.defaults[.lateFrames].burst + 1)
    #expect(try lone.goAwayCode() == .excessiveLoad)
  }

  // R-LIM-3: a frame of two kinds takes one token of each.
  @Test("a RESET of a stream that is forgotten counts as a reset, too")
  func lateReset() throws {
    let limits = try AbuseLimits(changing: [.resets: .init(burst: 3, perSecond: 1)])
    var lone = try LoneEngine(configuration: MuxConfiguration(abuse: limits))
    lone.receiveOpening(1, isLast: true)
    guard case .opened(let key, _)? = lone.events.first else {
      Issue.record("no stream")
      return
    }
    lone.engine.finish(key)
    lone.engine.release(key)
    _ = try lone.sentFrames()
    try #require(lone.engine.streams.count == 0)
    for _ in 0..<3 { lone.receive(.reset(stream: 1, code: .cancelled)) }
    #expect(lone.engine.phase == .running)
    lone.receive(.reset(stream: 1, code: .cancelled))
    #expect(try lone.goAwayCode() == .excessiveLoad)
  }
}
