import NIOCore
import Testing

@testable import StreamMux

@Suite("How connections begin and end")
struct EndingTests {
  private func closures(_ events: [MuxEvent]) -> [Closure] {
    events.compactMap { if case .closed(let closure) = $0 { closure } else { nil } }
  }

  @Test("both owners hear of the peer, and then that the connection stands")
  func handshake() throws {
    var options = PairOfEngines.Options()
    options.acceptsAtOnce = false
    var pair = try PairOfEngines(options)
    pair.run()
    for side in PairOfEngines.Side.allCases {
      let events = pair.take(side)
      guard case .peerAuthenticated(let hello, let agreement)? = events.first, events.count == 1 else {
        Issue.record("\(side): \(events.map(summary))")
        continue
      }
      #expect(hello.serverID == (side == .dialler ? "b" : "a"))
      #expect(agreement.method == .none)
      pair.engines[side].accept(grantsRoute: side == .acceptor, now: pair.now)
    }
    pair.run()
    #expect(pair.take(.dialler).map(summary) == ["established(grantsRoute: true)"])
    #expect(pair.take(.acceptor).map(summary) == ["established(grantsRoute: false)"])
  }

  // R-HSK-19, R-HSK-20
  @Test("with a shared key both sides prove, the dialler first")
  func sharedKey() throws {
    var options = PairOfEngines.Options()
    options.methods = .sharedKey
    var pair = try PairOfEngines(options)
    var order: [String] = []
    for _ in 0..<6 {
      pair.run()
      for side in PairOfEngines.Side.allCases {
        for event in pair.take(side) {
          switch event {
          case .proofNeeded(let context):
            order.append("\(side) proves")
            #expect(context.prover == side.role)
            pair.engines[side].provideProof([UInt8("\(side)".utf8.first ?? 0)], now: pair.now)
          case .proofReceived(let proof, _):
            order.append("\(side) checks")
            pair.engines[side].proofWasChecked(
              isValid: proof == [UInt8("\(side.other)".utf8.first ?? 0)], now: pair.now)
          case .established:
            order.append("\(side) stands")
          default:
            Issue.record("\(side): \(summary(event))")
          }
        }
      }
    }
    #expect(
      order == [
        "dialler proves", "acceptor checks", "acceptor proves", "dialler checks", "dialler stands",
        "acceptor stands",
      ]
        || order == [
          "dialler proves", "acceptor checks", "acceptor proves", "dialler checks", "acceptor stands",
          "dialler stands",
        ], "\(order)")
  }

  // R-HSK-21, R-HSK-23
  @Test(
    "a refusal reaches the other side with its words, and both close", arguments: PairOfEngines.Side.allCases)
  func refusal(side: PairOfEngines.Side) throws {
    var options = PairOfEngines.Options()
    options.acceptsAtOnce = false
    var pair = try PairOfEngines(options)
    pair.run()
    let refusal = Refusal(code: .duplicate, text: "another one is kept", winner: Nonce(high: 1, low: 2))
    pair.engines[side].refuse(refusal, now: pair.now)
    pair.run()
    #expect(closures(pair.take(side)) == [.refused(refusal)])
    let heard = pair.take(side.other)
    #expect(heard.contains { if case .refused(refusal) = $0 { true } else { false } })
    #expect(closures(heard) == [.refusedByPeer(refusal)])
  }

  // R-HSK-35
  @Test("a wrong server is refused before anything else is said")
  func wrongServer() throws {
    var options = PairOfEngines.Options()
    options.expectedServerID = "c"
    var pair = try PairOfEngines(options)
    pair.run()
    guard case .refused(let refusal)? = closures(pair.take(.dialler)).first else {
      Issue.record("the dialler goes on")
      return
    }
    #expect(refusal.code == .wrongServer)
    #expect(closures(pair.take(.acceptor)) == [.refusedByPeer(refusal)])
  }

  // R-FRM-2, R-FRM-3
  @Test("a stranger's first bytes end it without an answer")
  func stranger() throws {
    var pair = try PairOfEngines()
    pair.engines.acceptor.receive(ByteBuffer(string: "GET / HTTP/1.1\r\n"), now: pair.now)
    #expect(pair.engines.acceptor.nextTransmission(limit: 1_024, now: pair.now) == nil)
    guard case .ending(.violation(let violation))? = pair.engines.acceptor.nextEvent() else {
      Issue.record("the acceptor goes on")
      return
    }
    #expect(violation.description.contains("HTTP"))
    #expect(pair.engines.acceptor.figures.bytesSent == 0)
  }

  // R-HSK-32
  @Test("a handshake that takes too long fails on both sides")
  func handshakeTimeout() throws {
    var options = PairOfEngines.Options()
    options.acceptsAtOnce = false
    var pair = try PairOfEngines(options)
    pair.run()
    for side in PairOfEngines.Side.allCases { _ = pair.take(side) }
    pair.pass(.seconds(10))
    for side in PairOfEngines.Side.allCases {
      #expect(pair.engines[side].phase == .closed)
      #expect(closures(pair.take(side)).count == 1)
    }
  }

  // R-DRN-1, R-DRN-2, R-DRN-5, R-DRN-6, R-DRN-7, R-DRN-10
  @Test("draining lets streams run to their end, refuses no early one, and closes both sides")
  func drain() throws {
    var pair = try PairOfEngines.established()
    let (own, peers) = try ConversationTests.openStream(&pair)
    // On its way while the GOAWAY comes: it is served.
    let crossing = try pair.engines.dialler.open(StreamOpening(trafficClass: .append), now: pair.now)
    pair.engines.acceptor.drain(now: pair.now)
    pair.pass(.milliseconds(200))
    #expect(throws: OpenError.draining) {
      try pair.engines.dialler.open(StreamOpening(trafficClass: .append), now: pair.now)
    }
    #expect(throws: OpenError.draining) {
      try pair.engines.acceptor.open(StreamOpening(trafficClass: .append), now: pair.now)
    }
    let heard = pair.take(.dialler).map(summary)
    #expect(
      heard == [
        "draining(lastID: nil, shutdown (0x0C), \"\")",
        "draining(lastID: Optional(3), shutdown (0x0C), \"\")",
      ])
    #expect(pair.engines.dialler.phase == .running && pair.engines.acceptor.phase == .running)
    for (engineKey, peerKey) in [(own, peers)] {
      pair.engines.dialler.finish(engineKey)
      pair.engines.acceptor.finish(peerKey)
      pair.engines.dialler.release(engineKey)
      pair.engines.acceptor.release(peerKey)
    }
    pair.run()
    #expect(pair.engines.acceptor.phase == .running)
    for event in pair.take(.acceptor) {
      if case .opened(let key, _) = event { pair.engines.acceptor.release(key) }
    }
    pair.engines.dialler.release(crossing)
    pair.run()
    #expect(closures(pair.take(.acceptor)) == [.drained])
    #expect(closures(pair.take(.dialler)) == [.drained])
  }

  // R-DRN-12, R-DRN-21, R-STR-18
  @Test("streams above the last id of a GOAWAY were never processed")
  func rejectedByGoAway() throws {
    var lone = try LoneEngine(.dialler)
    var keys: [StreamKey] = []
    for _ in 0..<3 { keys.append(try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)) }
    _ = try lone.sentFrames()
    keys.append(try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now))
    lone.receive(.goAway(GoAway(lastStream: 3, code: .shutdown)))
    let rejected = lone.events.compactMap { event -> StreamKey? in
      if case .rejected(let key, _) = event { key } else { nil }
    }
    #expect(Set(rejected) == Set(keys.suffix(2)))
    // The answer to a stream above the last id may still come, and means nothing any more.
    lone.receive(.reset(stream: 5, code: .refused))
    lone.receive(.stop(stream: 5, code: .refused))
    for key in rejected { lone.engine.release(key) }
    lone.receive(.stop(stream: 5, code: .refused))
    #expect(lone.engine.phase == .running)
    #expect(try lone.sentFrames() == [])
  }

  // R-DRN-17, R-DRN-24
  @Test("closing says why, as the last frame")
  func close() throws {
    var pair = try PairOfEngines.established()
    _ = try ConversationTests.openStream(&pair)
    pair.engines.acceptor.close(.displaced, text: "a newer one", now: pair.now)
    pair.run()
    #expect(closures(pair.take(.acceptor)) == [.local(.displaced, "a newer one")])
    #expect(closures(pair.take(.dialler)) == [.peerError(.displaced, "a newer one")])
  }

  // R-DRN-19
  @Test("a peer that just closes is told apart from one that drained")
  func endOfInput() throws {
    var lone = try LoneEngine()
    lone.receiveOpening(1)
    lone.engine.receiveEndOfInput(now: lone.now)
    while let event = lone.engine.nextEvent() { lone.events.append(event) }
    let last = lone.events.suffix(3).map { event in
      switch event {
      case .ending(.endOfInput): "ending"
      case .shouldCloseOutput: "shouldCloseOutput"
      case .closed(.endOfInput): "closed"
      default: summary(event)
      }
    }
    #expect(last == ["ending", "shouldCloseOutput", "closed"])
    let deadline = lone.engine.nextDeadline
    #expect(deadline == nil)
    #expect(throws: OpenError.closed) {
      try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    }
  }

  // R-LIV-4, R-LIV-5
  @Test("a silent peer is asked, and given up after five seconds")
  func silence() throws {
    var lone = try LoneEngine()
    var now = lone.now
    let before = Int(lone.engine.figures.framesSent.ping)
    var pings = 0
    var end: NIODeadline?
    while let deadline = lone.engine.nextDeadline, lone.engine.phase != .closed {
      now = max(now, deadline)
      lone.engine.handleTimeout(now: now)
      while lone.engine.nextTransmission(limit: 1_000, now: now) != nil {}
      if end == nil { pings = Int(lone.engine.figures.framesSent.ping) - before }
      while let event = lone.engine.nextEvent() {
        if case .ending(.silent) = event { end = now }
        lone.events.append(event)
      }
    }
    #expect(pings == 1)
    let silence = try #require(end) - lone.now
    #expect(silence >= .milliseconds(4_990) && silence <= .milliseconds(5_010))
    #expect(closures(lone.events) == [.silent])
  }

  // R-LIV-6
  @Test("a peer that takes no bytes is given up though it goes on to speak")
  func writeStall() throws {
    var lone = try LoneEngine()
    lone.receiveOpening(1)
    guard case .opened(let key, _)? = lone.events.first else {
      Issue.record("no stream")
      return
    }
    lone.engine.write(ByteBuffer(repeating: 1, count: 100_000), to: key)
    var now = lone.now
    for _ in 0..<100 where !lone.engine.phase.isOver {
      now = now + .milliseconds(100)
      lone.engine.receive(Self.ping(), now: now)
      lone.engine.handleTimeout(now: now)
    }
    #expect(lone.engine.phase == .ending(.silent))
    #expect(now - lone.now <= .milliseconds(5_300))
    lone.engine.handleTimeout(now: now + .seconds(1))
    #expect(lone.engine.phase == .closed)
  }

  private static func ping() -> ByteBuffer {
    var buffer = ByteBuffer()
    FrameEncoder().write(.credit(stream: 1, limit: .max), into: &buffer)
    return buffer
  }

  @Test("an idle connection stays: both sides ask and answer")
  func idle() throws {
    var pair = try PairOfEngines.established()
    pair.pass(.seconds(60))
    #expect(pair.engines.dialler.phase == .running && pair.engines.acceptor.phase == .running)
    #expect(pair.engines.dialler.figures.framesSent.ping > 10)
  }
}
