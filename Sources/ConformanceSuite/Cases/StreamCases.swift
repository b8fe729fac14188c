internal import NIOCore

/// The page streams: ids, openings, halves.
enum StreamCases {
  static let all = ids + openings + halves

  private static let ids: [ConformanceCase] = {
    var section = Section("ids")
    section.add(ending: .protocolViolation, after: "a first stream that is not the first id", "R-STR-2") {
      probe in
      let first = await probe.newStream()
      await probe.send(.open(first + 2, StreamClass.append, group: probe.settings.group, [0]))
    }
    section.add(ending: .protocolViolation, after: "an id that leaves one out", "R-STR-2") { probe in
      let first = try await probe.open([0])
      await probe.send(.open(first + 4, StreamClass.append, group: probe.settings.group, [0]))
    }
    section.add(ending: .protocolViolation, after: "an id that was opened before", "R-STR-2") { probe in
      let first = try await probe.open([0])
      await probe.send(.open(first, StreamClass.append, group: probe.settings.group, [0]))
    }
    section.add(ending: .protocolViolation, after: "an id of the other side", "R-STR-2") { probe in
      let first = await probe.newStream()
      await probe.send(.open(first ^ 3, StreamClass.append, group: probe.settings.group, [0]))
    }
    section.add(ending: .protocolViolation, after: "an id of 2^63", "R-STR-2") { probe in
      await probe.send(
        .open(1 << 63 | (probe.newStream() & 1), StreamClass.append, group: probe.settings.group, [0]))
    }
    for frame in [.data(0, [0]), .credit(0, 1 << 40), .reset(0, 0x40), .stop(0, 0x40)] as [ProbeFrame] {
      section.add(
        ending: .protocolViolation,
        after: "\(FrameKind.name(frame.type)) on a stream that this side never opened",
        "R-STR-3"
      ) { probe in
        let stream = await probe.newStream()
        await probe.send(frame.with { $0.stream = stream + 8 })
      }
      section.add(
        ending: .protocolViolation,
        after: "\(FrameKind.name(frame.type)) on a stream that the peer never opened",
        "R-STR-3"
      ) { probe in
        let stream = await probe.newStream() ^ 3
        await probe.send(frame.with { $0.stream = stream + 1_000_000 })
      }
    }
    section.add("serves streams one after the other", "R-STR-1", "R-STR-11", "R-STR-23", "R-STR-20") {
      stage in
      let probe = try await stage.established()
      for _ in 0..<5 { try await probe.expectService() }
      try await probe.expectAlive()
    }
    return section.cases
  }()

  private static let openings: [ConformanceCase] = {
    var section = Section("openings")
    for trafficClass in [0, 4, 255] as [UInt8] {
      section.add("refuses a stream of class \(trafficClass)", "R-STR-5", "R-ERR-1") { stage in
        let probe = try await stage.established()
        let stream = await probe.newStream()
        await probe.send(.open(stream, trafficClass, group: stage.settings.group, [1, 2, 3]))
        try await probe.expectRefusedStream(stream, .unknownClass)
        try await probe.expectAlive()
      }
    }
    for encoding in [2, 255] as [UInt8] {
      section.add("refuses a stream of encoding \(encoding)", "R-STR-6", "R-ERR-1") { stage in
        let probe = try await stage.established()
        let stream = try await probe.open(StreamClass.snapshot, encoding: encoding, [1, 2, 3])
        try await probe.expectRefusedStream(stream, .unknownEncoding)
        try await probe.expectAlive()
      }
    }
    for trafficClass in [StreamClass.election, StreamClass.append] {
      section.add(
        "refuses chunks on a stream of class \(StreamClass.name(trafficClass))", "R-STR-7", "R-ERR-1"
      ) { stage in
        let probe = try await stage.established()
        let stream = try await probe.open(trafficClass, encoding: 1, Requests.heartbeat, fin: true)
        try await probe.expectRefusedStream(stream, .unknownEncoding)
        try await probe.expectAlive()
      }
    }
    section.add("refuses a stream of a group that it does not serve", "R-STR-8", "R-ERR-1") { stage in
      let probe = try await stage.established()
      try await probe.requireCredit(StreamClass.append)
      let stream = await probe.newStream()
      await probe.send(
        .open(stream, StreamClass.append, group: 0xFEED_FACE_CAFE_F00D, Requests.append(), fin: true))
      try await probe.expectRefusedStream(stream, .unknownGroup)
      try await probe.expectAlive()
    }
    section.add("takes further bytes of a stream that it has refused", "R-STR-9", "R-STR-19") { stage in
      let probe = try await stage.established()
      let stream = try await probe.openRefused()
      await probe.send(
        .data(stream, Array(repeating: 1, count: 4_096)), .data(stream, [2], fin: true))
      try await probe.expectAlive()
    }
    section.add("takes a RESET of a stream that it has refused", "R-STR-9", "R-STR-18") { stage in
      let probe = try await stage.established()
      let stream = try await probe.openRefused()
      await probe.send(.reset(stream, CodeName.unknownEncoding.rawValue))
      try await probe.expectAlive()
      try await probe.expectService()
    }
    section.add("answers a refused opening that carries FIN with RESET and STOP, too", "R-STR-6", "R-STR-22")
    { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(StreamClass.append, encoding: 9, [0], fin: true)
      try await probe.expectRefusedStream(stream, .unknownEncoding)
      try await probe.expectAlive()
    }
    section.add("serves other streams beside a refused one", "R-ERR-1") { stage in
      let probe = try await stage.established()
      _ = try await probe.openRefused()
      try await probe.expectService()
    }
    return section.cases
  }()

  private static let halves: [ConformanceCase] = {
    var section = Section("halves")
    section.add(ending: .streamState, after: "DATA behind FIN", "R-STR-12") { probe in
      let stream = try await probe.openRefused()
      await probe.send(.data(stream, [1], fin: true), .data(stream, [2]))
    }
    section.add(ending: .streamState, after: "DATA behind FIN on a stream that is served", "R-STR-12") {
      probe in
      let stream = try await probe.open(Requests.append(), fin: true)
      await probe.send(.data(stream, [2]))
    }
    section.add(ending: .streamState, after: "a second FIN", "R-STR-12") { probe in
      let stream = try await probe.open(Requests.append(), fin: true)
      await probe.send(.data(stream, fin: true))
    }
    section.add(ending: .streamState, after: "DATA behind RESET", "R-STR-12") { probe in
      let stream = try await probe.open([0])
      await probe.send(.reset(stream, 0x40), .data(stream, [1]))
    }
    section.add(ending: .streamState, after: "FIN behind RESET", "R-STR-12") { probe in
      let stream = try await probe.open([0])
      await probe.send(.reset(stream, 0x40), .data(stream, fin: true))
    }
    section.add(
      "answers a second RESET with streamState, or ignores it where the stream is forgotten", "R-STR-13"
    ) {
      stage in
      let probe = try await stage.established()
      let stream = try await probe.open([0])
      await probe.send(.reset(stream, 0x40), .reset(stream, 0x40))
      try await probe.expectAliveOrEnd(.streamState)
    }
    section.add("ignores RESET behind FIN", "R-STR-14") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Requests.append(), fin: true)
      await probe.send(.reset(stream, 0x40))
      try await probe.expectAlive()
      try await probe.expectService()
    }
    for code in [0x40, 0x41, 0x1_0001] as [UInt32] {
      section.add(
        "answers STOP by RESET with \(CodeName.describe(code))", "R-STR-15", "R-STR-25", "R-ERR-2", "R-ERR-4"
      ) { stage in
        let probe = try await stage.established()
        let stream = try await probe.open([0])
        await probe.send(.stop(stream, code))
        try await probe.expectReset(stream, code)
        try await probe.expectAlive()
      }
    }
    section.add("answers STOP with the code 0 like cancelled", "R-ERR-5") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open([0])
      await probe.send(.stop(stream, 0))
      try await probe.expectReset(stream, CodeName.cancelled.rawValue)
      try await probe.expectAlive()
    }
    for code in [0, 0x7F, 0xFFFF_FFFF] as [UInt32] {
      section.add(
        "takes RESET with \(CodeName.describe(code)) for an end of the stream alone", "R-ERR-2", "R-ERR-5",
        "R-ERR-1"
      ) { stage in
        let probe = try await stage.established()
        let stream = try await probe.open([0])
        await probe.send(.reset(stream, code))
        try await probe.expectAlive()
        try await probe.expectService()
      }
    }
    section.add("ignores STOP on a half that it has ended", "R-STR-16", "R-STR-18") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Requests.append(), fin: true)
      try await Requests.checkAnswers(probe.expectAnswer(stream))
      await probe.send(.stop(stream, 0x40))
      let seen = try await probe.expectAlive()
      try Self.checkNothing(about: stream, in: seen)
    }
    section.add("ignores CREDIT on a half that it has ended", "R-STR-17", "R-STR-18") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Requests.append(), fin: true)
      try await Requests.checkAnswers(probe.expectAnswer(stream))
      await probe.send(.credit(stream, 1 << 40))
      let seen = try await probe.expectAlive()
      try Self.checkNothing(about: stream, in: seen)
    }
    section.add("ignores CREDIT, RESET and STOP for a stream that is long over", "R-STR-18") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Requests.append(), fin: true)
      try await Requests.checkAnswers(probe.expectAnswer(stream))
      try await probe.expectAlive()
      await probe.send(.credit(stream, 1 << 41), .reset(stream, 0x40), .stop(stream, 0x40))
      let seen = try await probe.expectAlive()
      try Self.checkNothing(about: stream, in: seen)
      try await probe.expectService()
    }
    section.add("takes bytes of a half that it has stopped", "R-STR-19", "R-FLW-8") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open([0x77])
      let first = try await probe.expect("STOP or RESET of an unknown request") { frame in
        frame.stream == stream && [FrameKind.stop, FrameKind.reset].contains(frame.type) ? frame : nil
      }
      if first.type == FrameKind.reset {
        // To end one's own half is enough for a request that cannot be read; to stop the other one is good manners.
        let stops = try await probe.expectAlive().contains {
          $0.stream == stream && $0.type == FrameKind.stop
        }
        guard stops else { throw CaseSkipped("the peer does not stop what it cannot read") }
      }
      await probe.send(.data(stream, Array(repeating: 1, count: 1_000)), .data(stream, fin: true))
      try await probe.expectAlive()
    }
    section.add("ends its half when a request is cancelled", "R-STR-15", "R-STR-25", "R-STR-21") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Array(Requests.append().dropLast()))
      await probe.send(.reset(stream, 0x40), .stop(stream, 0x40))
      try await probe.expectCancelled(stream)
      try await probe.expectService()
    }
    section.add("does not answer a request that RESET has cut off", "R-STR-21") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Array(Requests.append().dropLast()))
      await probe.send(.reset(stream, 0x40))
      // An answer would come before that to a later request.
      let later = try await probe.open(Requests.append(), fin: true)
      while let frame = try await probe.nextFrame("an answer to the later request alone") {
        if frame.type == FrameKind.data, frame.stream == stream, !frame.streamBytes.isEmpty {
          throw CaseFailure(expected: "no answer", actual: "\(frame)")
        }
        if frame.stream == later, frame.isLast { break }
      }
      try await probe.expectService()
    }
    return section.cases
  }()

  private static func checkNothing(about stream: UInt64, in frames: [ProbeFrame]) throws {
    for frame in frames where frame.stream == stream && !FrameKind.isIgnorable(frame.type) {
      throw CaseFailure(expected: "nothing more about stream \(stream)", actual: "\(frame)")
    }
  }
}

extension Probe {
  /// Either answer is right.
  func expectAliveOrEnd(_ code: CodeName) async throws {
    let ping = newPing()
    await send(.ping(ping))
    let what = "PONG, or GOAWAY with \(code)"
    while let frame = try await nextFrame(what) {
      if frame.type == FrameKind.pong, frame.number == ping { return }
      guard frame.type == FrameKind.goAway else { continue }
      guard frame.code == code.rawValue else { throw CaseFailure(expected: what, actual: "\(frame)") }
      return
    }
    throw CaseFailure(expected: what, actual: "the peer closed the connection without it (\(recently))")
  }
}
