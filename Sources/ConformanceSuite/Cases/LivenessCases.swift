internal import NIOCore

/// The page liveness.
enum LivenessCases {
  static let all: [ConformanceCase] = {
    var section = Section("liveness")
    for number in [0, 0x0123_4567_89AB_CDEF, UInt64.max] {
      section.add(
        "answers PING \(String(number, radix: 16)) by PONG with the same bytes", "R-LIV-1", "R-FRM-17"
      ) {
        stage in
        let probe = try await stage.established()
        await probe.send(.ping(number))
        let what = "PONG \(String(number, radix: 16))"
        let frame = try await probe.expect(what) { $0.type == FrameKind.pong ? $0 : nil }
        guard frame.number == number else { throw CaseFailure(expected: what, actual: "\(frame)") }
      }
    }
    section.add("answers the newest of many PINGs", "R-LIV-2", "R-LIV-1") { stage in
      let probe = try await stage.established()
      await probe.send((1...24).map { .ping($0) })
      _ = try await probe.expect("PONG 24") { $0.type == FrameKind.pong && $0.number == 24 ? $0 : nil }
    }
    section.add("ignores a PONG that answers nothing", "R-LIV-3") { stage in
      let probe = try await stage.established()
      await probe.send(.pong(0xDEAD), .pong(0))
      try await probe.expectAlive()
    }
    section.add("sends PING in silence", "R-LIV-4", waits: .seconds(4)) { stage in
      let probe = try await stage.established(
        manners: .init(answersPings: false, answersRequests: false, grantsCredit: false))
      // One may come right behind the handshake, to know the round trip.
      let begin = NIODeadline.now()
      while true {
        _ = try await probe.expect("PING after 1 second of silence", within: .seconds(3)) { frame in
          frame.type == FrameKind.ping ? frame : nil
        }
        if NIODeadline.now() - begin > .milliseconds(500) { return }
      }
    }
    section.add("ends the connection with silent when it hears nothing", "R-LIV-5", waits: .seconds(12)) {
      stage in
      let probe = try await stage.greeted(
        manners: .init(answersPings: false, answersRequests: false, grantsCredit: false))
      let lastWord = NIODeadline.now()
      try await probe.authenticate(and: .welcome(flags: 1))
      try await probe.expectAcceptance()
      // No PING is answered, so that no round trip stretches the limit.
      let begin = NIODeadline.now()
      let what = "GOAWAY with silent after 5 seconds"
      let frame = try await probe.nextGoAway(what)
      guard frame.code == CodeName.silent.rawValue else {
        throw CaseFailure(expected: what, actual: "\(frame)")
      }
      try Timing.fiveSeconds.check(atLeastSince: lastWord, atMostSince: begin, what)
    }
    section.add("takes every byte for a sign of life", "R-LIV-7", waits: .seconds(9)) { stage in
      let probe = try await stage.established(
        manners: .init(answersPings: false, answersRequests: false, grantsCredit: false))
      let bytes = await probe.encode([ProbeFrame(type: 0x81, payload: [1, 2, 3])])
      for byte in bytes.prefix(14) {
        await probe.sendBytes([byte])
        // What is tested is that half a second of silence, many times, is none.
        try await Task.sleep(for: .milliseconds(500))
      }
      await probe.sendBytes(Array(bytes.dropFirst(14)))
      try await probe.expectAlive()
    }
    section.add("goes on reading while nobody reads what it writes", "R-SCH-12", only: .server) { stage in
      let probe = try await stage.established(manners: .init(hasRoom: false)) {
        $0.initialWindow = 67_108_864
      }
      let window = Int(await probe.peerHello?.initialWindow ?? 0)
      let places = Int(await probe.peerHello?.appendStreams ?? 0)
      let sinks = max(8, (16 << 20) / max(1, window))
      guard places >= 8 + sinks, sinks <= 200 else {
        throw CaseSkipped("the peer takes too few streams for what this case sends")
      }
      var streams: [UInt64] = []
      for _ in 0..<sinks { streams.append(try await probe.open(StreamClass.append, encoding: 2)) }
      var sinkFrames: [ProbeFrame] = []
      for stream in streams {
        try await probe.expectRefusedStream(stream, .unknownEncoding)
        sinkFrames += await probe.frames(filling: stream)
      }
      await probe.stopReading()
      let begin = NIODeadline.now()
      // Answers to these are more than what lies between two programs takes: each is an AppendEntries that is nil.
      for _ in 0..<8 { _ = try await probe.open((0..<1_000).flatMap { _ in [0x00, 0xC0] as [UInt8] }) }
      // And these more than what the peer's system takes without the peer.
      let isTaken = await probe.sendAll(sinkFrames)
      // Who has written nothing for 5 seconds has to end the connection (R-LIV-6), and then need not read either.
      let hasGivenUp = NIODeadline.now() - begin > .seconds(5) && NIODeadline.now() < stage.deadline
      guard isTaken || hasGivenUp else {
        throw CaseFailure(
          expected: "a peer that takes what it has granted, although nobody takes what it writes",
          actual: "it did not take \(sinks) windows")
      }
    }
    section.add("goes on reading while a request is incomplete", "R-SCH-12") { stage in
      let probe = try await stage.established()
      let held = try await probe.open(Array(Requests.append().dropLast()))
      try await probe.expectAlive()
      try await probe.expectService()
      await probe.send(.data(held, [Requests.append().last ?? 0], fin: true))
      try await Requests.checkAnswers(probe.expectAnswer(held))
    }
    return section.cases
  }()
}

/// How exactly a peer has to keep a time.
struct Timing {
  let least: TimeAmount
  let most: TimeAmount

  /// Clocks, and where the counting starts, differ a little; that a peer or the suite was kept waiting for a processor
  /// excuses a lot.
  static let fiveSeconds = Timing(least: .milliseconds(4_500), most: .seconds(10))

  /// - Parameters:
  ///   - early: A moment that the peer cannot have begun to count before.
  ///   - late: One that it cannot have begun to count behind.
  func check(atLeastSince early: NIODeadline, atMostSince late: NIODeadline, _ what: String) throws {
    let end = NIODeadline.now()
    guard end - early >= least, end - late <= most else {
      throw CaseFailure(expected: what, actual: "after \((end - early).nanoseconds / 1_000_000) ms")
    }
  }
}
