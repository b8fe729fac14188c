import NIOCore
import Testing

@testable import StreamMux

@Suite("Conversations of two engines")
struct ConversationTests {
  @Test("a request and its answer take one frame each")
  func unary() throws {
    var pair = try PairOfEngines.established()
    let framesBefore = pair.engines.dialler.figures.framesSent.data
    let key = try pair.engines.dialler.open(StreamOpening(trafficClass: .append, group: 7), now: pair.now)
    pair.engines.dialler.write(ByteBuffer(string: "request"), to: key)
    pair.engines.dialler.finish(key)
    #expect(!pair.engines.dialler.hasReachedWire(key))
    pair.run()
    #expect(pair.engines.dialler.hasReachedWire(key))
    #expect(pair.engines.dialler.figures.framesSent.data == framesBefore + 1)

    let arrived = pair.take(.acceptor)
    guard case .opened(let peerKey, let opening)? = arrived.first else {
      Issue.record("no stream was opened: \(arrived)")
      return
    }
    #expect(opening == StreamOpening(trafficClass: .append, group: 7))
    #expect(arrived.dropFirst().map(summary) == ["data \(peerKey) 7", "finished(\(peerKey))"])

    pair.engines.acceptor.consume(7, of: peerKey)
    pair.engines.acceptor.write(ByteBuffer(string: "answer"), to: peerKey)
    pair.engines.acceptor.finish(peerKey)
    pair.engines.acceptor.release(peerKey)
    pair.run()
    #expect(pair.take(.dialler).map(summary) == ["data \(key) 6", "finished(\(key))"])
    pair.engines.dialler.consume(6, of: key)
    pair.engines.dialler.release(key)
    #expect(pair.engines.dialler.figures.streams.total == 0)
    #expect(pair.engines.acceptor.figures.streams.total == 0)
  }

  /// A stream from the dialler that the acceptor has seen, with all events taken.
  static func openStream(
    _ pair: inout PairOfEngines, _ trafficClass: TrafficClass = .append, _ text: String = "request"
  ) throws -> (own: StreamKey, peers: StreamKey) {
    let own = try pair.engines.dialler.open(StreamOpening(trafficClass: trafficClass), now: pair.now)
    pair.engines.dialler.write(ByteBuffer(string: text), to: own)
    pair.run()
    var opened: StreamKey?
    for event in pair.take(.acceptor) {
      if case .opened(let key, _) = event { opened = key }
    }
    return (own, try #require(opened))
  }

  // R-STR-1, R-STR-4, R-STR-24
  @Test("a stream cancelled before its OPEN was framed is never heard of")
  func cancelBeforeOpening() throws {
    var pair = try PairOfEngines.established()
    let sent = pair.engines.dialler.figures.bytesSent
    let key = try pair.engines.dialler.open(StreamOpening(trafficClass: .append), now: pair.now)
    pair.engines.dialler.write(ByteBuffer(string: "never"), to: key)
    pair.engines.dialler.finish(key)
    pair.engines.dialler.release(key)
    pair.run()
    #expect(pair.engines.dialler.figures.bytesSent == sent)
    #expect(pair.take(.acceptor).isEmpty)
    // The next stream takes the id and the credit that this one did not use.
    let streams = try Self.openStream(&pair)
    #expect(pair.engines.dialler.streamFigures(streams.own)?.id == 1)
  }

  // R-STR-15, R-STR-25
  @Test("the opener cancels: the other side hears of both halves")
  func openerCancels() throws {
    var pair = try PairOfEngines.established()
    let (own, peers) = try Self.openStream(&pair)
    pair.engines.dialler.release(own, code: .deadlineExceeded)
    pair.run()
    #expect(
      pair.take(.acceptor).map(summary) == [
        "reset(\(peers), \(ErrorCode.deadlineExceeded))", "stopped(\(peers), \(ErrorCode.deadlineExceeded))",
      ])
    pair.engines.acceptor.release(peers)
    pair.run()
    #expect(pair.engines.dialler.streams.count == 0 && pair.engines.acceptor.streams.count == 0)
  }

  // R-STR-16
  @Test("the other side cancels before, between and behind its answer", arguments: 0...2)
  func peerCancels(answered: Int) throws {
    var pair = try PairOfEngines.established()
    let (own, peers) = try Self.openStream(&pair)
    if answered > 0 { pair.engines.acceptor.write(ByteBuffer(string: "half"), to: peers) }
    if answered > 1 { pair.engines.acceptor.finish(peers) }
    if answered > 0 { pair.run() }
    pair.engines.acceptor.release(peers, code: .handlerGone)
    pair.run()
    let events = pair.take(.dialler).map(summary)
    let stopped = "stopped(\(own), \(ErrorCode.handlerGone))"
    switch answered {
    case 0: #expect(events == ["reset(\(own), \(ErrorCode.handlerGone))", stopped])
    case 1: #expect(events == ["data \(own) 4", "reset(\(own), \(ErrorCode.handlerGone))", stopped])
    default: #expect(events == ["data \(own) 4", "finished(\(own))", stopped])
    }
    pair.engines.dialler.release(own)
    pair.run()
    #expect(pair.engines.dialler.streams.count == 0 && pair.engines.acceptor.streams.count == 0)
  }

  @Test("what was finished still goes out when the owner lets go")
  func finishedAndReleased() throws {
    var pair = try PairOfEngines.established()
    let (own, peers) = try Self.openStream(&pair)
    pair.engines.dialler.finish(own)
    pair.run()
    pair.engines.acceptor.write(ByteBuffer(repeating: 1, count: 200_000), to: peers)
    pair.engines.acceptor.finish(peers)
    pair.engines.acceptor.release(peers)
    pair.run()
    let bytes = pair.take(.dialler).reduce(0) { sum, event in
      if case .data(_, let bytes) = event { sum + bytes.readableBytes } else { sum }
    }
    #expect(bytes == 200_000)
    #expect(pair.engines.acceptor.streams.count == 0)
  }

  // R-FLW-1, R-FLW-6
  @Test("a sender stops at the last byte of the window and goes on with the credit")
  func windowEdge() throws {
    var pair = try PairOfEngines.established()
    let window = pair.options.configuration.acceptor.limits.initialWindow
    let (own, peers) = try Self.openStream(&pair, .append, "x")
    pair.engines.dialler.write(ByteBuffer(repeating: 7, count: window), to: own)
    pair.run()
    #expect(pair.engines.dialler.queuedBytes(own) == 1)
    #expect(pair.engines.acceptor.streamFigures(peers)?.received == UInt64(window))
    pair.engines.acceptor.consume(window / 4 - 1, of: peers)
    pair.run()
    #expect(pair.engines.dialler.queuedBytes(own) == 1)
    pair.engines.acceptor.consume(1, of: peers)
    pair.run()
    #expect(pair.engines.dialler.queuedBytes(own) == 0)
    #expect(pair.engines.acceptor.figures.framesSent.credit == 1)
  }

  // R-FLW-18, R-FLW-22
  @Test("appends without credit wait, and votes go on meanwhile")
  func streamCredit() throws {
    var options = PairOfEngines.Options()
    let limits = try MuxLimits(
      streamCredit: StreamCredit(election: 4, append: 2, snapshot: 1), maximumPendingOpens: 3)
    options.configuration = .init(MuxConfiguration(limits: limits))
    var pair = try PairOfEngines.established(options)
    var keys: [StreamKey] = []
    for index in 0..<5 {
      let opening = StreamOpening(trafficClass: .append, group: UInt64(index))
      keys.append(try pair.engines.dialler.open(opening, now: pair.now))
    }
    #expect(throws: OpenError.tooManyPending) {
      try pair.engines.dialler.open(StreamOpening(trafficClass: .append), now: pair.now)
    }
    let vote = try pair.engines.dialler.open(StreamOpening(trafficClass: .election), now: pair.now)
    pair.run()
    let opened = pair.take(.acceptor).compactMap { event -> StreamKey? in
      if case .opened(let key, _) = event { key } else { nil }
    }
    #expect(opened.count == 3)
    #expect(pair.engines.dialler.hasReachedWire(vote))
    #expect(keys.map { pair.engines.dialler.hasReachedWire($0) } == [true, true, false, false, false])

    // One that waits is cancelled; one that runs ends on both sides: the next in the order comes in.
    pair.engines.dialler.release(keys[2])
    pair.engines.dialler.release(keys[0])
    pair.run()
    for event in pair.take(.acceptor) {
      if case .stopped(let key, _) = event { pair.engines.acceptor.release(key) }
    }
    pair.run()
    #expect(pair.engines.dialler.hasReachedWire(keys[3]))
    #expect(!pair.engines.dialler.hasReachedWire(keys[4]))
    #expect(pair.engines.dialler.figures.pendingOpens == 1)
  }

  // R-FLW-26, R-FLW-27, R-DRN-12
  @Test("a stream for which there is no memory is rejected, and was certainly not processed")
  func receiveBudget() throws {
    var options = PairOfEngines.Options()
    let limits = try MuxLimits(initialWindow: 65_536, receiveBudget: 3 * 65_536)
    options.configuration.acceptor = MuxConfiguration(limits: limits)
    var pair = try PairOfEngines.established(options)
    let keys = try (0..<5).map { _ in
      try pair.engines.dialler.open(StreamOpening(trafficClass: .append), now: pair.now)
    }
    let vote = try pair.engines.dialler.open(StreamOpening(trafficClass: .election), now: pair.now)
    pair.run()
    let rejected = pair.take(.dialler).compactMap { event -> StreamKey? in
      if case .rejected(let key, .refused) = event { key } else { nil }
    }
    #expect(rejected == Array(keys.suffix(2)))
    #expect(!rejected.contains(vote))
    #expect(pair.engines.acceptor.figures.reservedWindows == 3 * 65_536)
  }

  @Test("a writer is told when its queue has fallen below the mark")
  func writable() throws {
    var pair = try PairOfEngines.established()
    let mark = pair.options.configuration.dialler.limits.writeLowWater
    let (own, _) = try Self.openStream(&pair)
    pair.engines.dialler.write(ByteBuffer(repeating: 1, count: mark), to: own)
    pair.run()
    #expect(pair.take(.dialler).isEmpty)
    pair.engines.dialler.write(ByteBuffer(repeating: 1, count: mark + 1), to: own)
    pair.run()
    #expect(pair.take(.dialler).map(summary) == ["writable(\(own))"])
  }

  @Test("a writer whose mark is lowered is told again when its queue has fallen below the new one")
  func loweredMark() throws {
    var pair = try PairOfEngines.established()
    let window = pair.options.configuration.acceptor.limits.initialWindow
    let (own, theirs) = try Self.openStream(&pair)
    pair.engines.dialler.setLowWater(2 * window + 1_000, of: own)
    pair.engines.dialler.write(ByteBuffer(repeating: 1, count: 3 * window), to: own)
    pair.run()
    // What is left is below the mark, but too much for a writer that has become more careful meanwhile.
    #expect(pair.take(.dialler).map(summary) == ["writable(\(own))"])
    pair.engines.dialler.setLowWater(window / 2, of: own)
    for _ in 0..<2 {
      let held = pair.engines.acceptor.streamFigures(theirs).map { Int($0.received - $0.consumed) } ?? 0
      pair.engines.acceptor.consume(held, of: theirs)
      pair.run()
    }
    #expect(pair.take(.dialler).map(summary) == ["writable(\(own))"])
    #expect(pair.engines.dialler.queuedBytes(own) <= window / 2)
  }

  // R-LIV-1
  @Test("a probe is answered with its number and a round trip")
  func probe() throws {
    var options = PairOfEngines.Options()
    options.link.delay = .milliseconds(20)
    var pair = try PairOfEngines.established(options)
    let number = pair.engines.dialler.ping(now: pair.now)
    pair.run()
    #expect(
      pair.take(.dialler).map(summary) == ["pong(\(number), roundTrip: \(TimeAmount.milliseconds(40)))"])
    #expect(pair.engines.dialler.figures.smoothedRoundTrip == .milliseconds(40))
  }

  // R-STR-22
  @Test("a half that ended meanwhile is not asked to end")
  func stopTooLate() throws {
    var lone = try LoneEngine()
    lone.receiveOpening(1)
    guard case .opened(let key, _)? = lone.events.first else {
      Issue.record("no stream")
      return
    }
    lone.engine.stop(key, code: .notNeeded)
    lone.receive(DataHeader(stream: 1, isLast: true, byteCount: 0))
    #expect(try lone.sentFrames() == [])
    lone.engine.finish(key)
    lone.engine.release(key)
    _ = try lone.sentFrames()
    #expect(lone.engine.streams.count == 0)
  }

  // R-FLW-30
  @Test("an own stream for which there is no memory waits until another is forgotten")
  func ownStreamWaitsForMemory() throws {
    let limits = try MuxLimits(initialWindow: 65_536, receiveBudget: 2 * 65_536)
    var lone = try LoneEngine(.dialler, configuration: MuxConfiguration(limits: limits))
    let keys = try (0..<3).map { _ in
      try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    }
    _ = try lone.sentFrames()
    #expect(keys.map { lone.engine.hasReachedWire($0) } == [true, true, false])
    lone.engine.finish(keys[0])
    _ = try lone.sentFrames()
    lone.receive(DataHeader(stream: 1, isLast: true, byteCount: 0))
    lone.engine.release(keys[0])
    _ = try lone.sentFrames()
    #expect(lone.engine.hasReachedWire(keys[2]))
    #expect(lone.engine.figures.reservedWindows == 2 * 65_536)
  }
}
