internal import NIOCore
internal import RaftWire

/// The page payloads, as far as a peer's answers show it. Bytes of all kinds are in the vectors.
enum PayloadCases {
  static let all = calls + readings + faults

  private static let calls: [ConformanceCase] = {
    var section = Section("calls")
    section.add("answers AppendEntries", "R-PAY-1", "R-PAY-4") { stage in
      let probe = try await stage.established()
      try await probe.expectService()
    }
    section.add("answers a heartbeat", "R-PAY-1", "R-PAY-4") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(StreamClass.election, Requests.heartbeat, fin: true)
      try await Requests.checkAnswers(probe.expectAnswer(stream))
    }
    section.add("answers RequestVote", "R-PAY-1", "R-PAY-4") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(StreamClass.election, Requests.vote, fin: true)
      try await Requests.check(probe.expectAnswer(stream), RequestVoteResponse.self)
    }
    section.add("answers RequestPreVote", "R-PAY-1", "R-PAY-4") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(StreamClass.election, Requests.preVote, fin: true)
      try await Requests.check(probe.expectAnswer(stream), RequestPreVoteResponse.self)
    }
    section.add("answers TimeoutNow", "R-PAY-1", "R-PAY-4") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(StreamClass.election, Requests.timeoutNow, fin: true)
      try await Requests.check(probe.expectAnswer(stream), TimeoutNowResponse.self)
    }
    section.add("answers the requests of a pipeline in order", "R-PAY-1", "R-STR-20") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open((1...20).flatMap { Requests.append(index: $0) }, fin: true)
      try await Requests.checkAnswers(probe.expectAnswer(stream), count: 20)
    }
    section.add("answers a request before its stream ends", "R-PAY-1", "R-PAY-6") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Requests.append())
      _ = try await probe.expect("an answer before FIN") { frame in
        frame.stream == stream && frame.type == FrameKind.data && !frame.streamBytes.isEmpty ? frame : nil
      }
      await probe.send(.data(stream, Requests.append(index: 2), fin: true))
      _ = try await probe.expect("FIN") { $0.stream == stream && $0.isLast ? $0 : nil }
    }
    section.add("ends its half without an answer where nothing was asked", "R-STR-25", "R-ERR-9") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(fin: true)
      _ = try await probe.expect("FIN or RESET of an empty stream") { frame in
        frame.stream == stream && (frame.isLast || frame.type == FrameKind.reset) ? frame : nil
      }
      try await probe.expectAlive()
    }
    section.add("serves streams of all classes side by side", "R-SCH-4", "R-SCH-5", "R-SCH-13") { stage in
      let probe = try await stage.established()
      let first = try await probe.open(Array(Requests.append(dataBytes: 500).dropLast()))
      let second = try await probe.open(StreamClass.election, Requests.vote, fin: true)
      try await Requests.check(probe.expectAnswer(second), RequestVoteResponse.self)
      let third = try await probe.open(Requests.append(index: 2), fin: true)
      try await Requests.checkAnswers(probe.expectAnswer(third))
      await probe.send(.data(first, [Requests.append(dataBytes: 500).last ?? 0], fin: true))
      try await Requests.checkAnswers(probe.expectAnswer(first))
    }
    return section.cases
  }()

  /// Requests in forms that no writer uses and every reader takes.
  private static let readings: [ConformanceCase] = {
    var section = Section("reading")
    for (title, requirement, bytes) in [
      ("a request that is nil", "R-PAY-22", [0x01, 0xC0]),
      ("a request without fields", "R-PAY-20", [0x01, 0x80]),
      ("a field of unknown name", "R-PAY-21", [0x01, 0x81, 0xA3, 0x46, 0x6F, 0x6F, 0x92, 0x01, 0xC0]),
      ("an integer in a longer format than need be", "R-PAY-23", term([0xCF, 0, 0, 0, 0, 0, 0, 0, 7])),
      ("an integer in a signed format", "R-PAY-23", term([0xD2, 0, 0, 0, 7])),
      ("a field that is nil", "R-PAY-22", term([0xC0])),
      ("a field that comes twice", "R-PAY-27", [0x01, 0x82] + field([0x01]) + field([0x02])),
      ("an array in the place of a map", "R-PAY-24", [0x01, 0x91, 0x03]),
      (
        "a key in the newer string format", "R-PAY-25",
        [0x01, 0x81, 0xD9, 0x04, 0x54, 0x65, 0x72, 0x6D, 0x01]
      ),
      ("a key in a binary format", "R-PAY-25", [0x01, 0x81, 0xC4, 0x04, 0x54, 0x65, 0x72, 0x6D, 0x01]),
      ("a map with a longer header than need be", "R-PAY-23", [0x01, 0xDF, 0, 0, 0, 1] + field([0x01])),
      (
        "a boolean that is the number 1", "R-PAY-30",
        [0x01, 0x81, 0xB2] + Array("LeadershipTransfer".utf8) + [0x01]
      ),
      (
        "bytes in a binary format", "R-PAY-31",
        [0x01, 0x81, 0xA9] + Array("Candidate".utf8) + [0xC4, 0x01, 0x61]
      ),
      ("a skipped map whose key is an array", "R-PAY-36", [0x01, 0x81, 0xA1, 0x78, 0x81, 0x90, 0x01]),
      (
        "1,000 levels of nesting", "R-PAY-38",
        [0x01, 0x81, 0xA1, 0x78] + Array(repeating: 0x91, count: 1_000) + [0xC0]
      ),
    ] as [(String, String, [UInt8])] {
      section.add("reads \(title)", requirement) { stage in
        let probe = try await stage.established()
        let stream = try await probe.open(StreamClass.election, bytes, fin: true)
        try await Requests.check(probe.expectAnswer(stream), RequestVoteResponse.self)
      }
    }
    return section.cases
  }()

  private static let faults: [ConformanceCase] = {
    var section = Section("malformed")
    for (title, requirement, bytes) in [
      ("request type 5", "R-PAY-2", [0x05]), ("request type 255", "R-PAY-2", [0xFF]),
      ("the byte c1", "R-PAY-33", [0x01, 0xC1]),
      ("the byte c1 in a field that is skipped", "R-PAY-33", [0x01, 0x81, 0xA1, 0x78, 0xC1]),
      ("text in the place of a map", "R-PAY-22", [0x01, 0xA3, 0x61, 0x62, 0x63]),
      ("an empty key", "R-PAY-25", [0x01, 0x81, 0xA0, 0x01]),
      ("a key that is nil", "R-PAY-25", [0x01, 0x81, 0xC0, 0x01]),
      ("a key that is a number", "R-PAY-25", [0x01, 0x81, 0x07, 0x01]),
      ("a negative term", "R-PAY-28", term([0xFF])), ("a term that is text", "R-PAY-29", term([0xA1, 0x31])),
      ("a term that is a float", "R-PAY-29", term([0xCB, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0])),
      ("a term that is a boolean", "R-PAY-29", term([0xC3])),
      (
        "a boolean that is the number 2", "R-PAY-30",
        [0x01, 0x81, 0xB2] + Array("LeadershipTransfer".utf8) + [0x02]
      ),
      ("a skipped time of 5 bytes", "R-PAY-37", [0x01, 0x81, 0xA1, 0x78, 0xC7, 0x05, 0xFF, 1, 2, 3, 4, 5]),
      (
        "1,100 levels of nesting", "R-PAY-38",
        [0x01, 0x81, 0xA1, 0x78] + Array(repeating: 0x91, count: 1_100)
      ),
      (
        "entries that are text", "R-PAY-32",
        [0x00, 0x81, 0xA7] + Array("Entries".utf8) + [0xA3, 0x61, 0x62, 0x63]
      ),
    ] as [(String, String, [UInt8])] {
      section.add("ends the stream alone after \(title)", requirement, "R-ERR-8") { stage in
        let probe = try await stage.established()
        let stream = try await probe.open(StreamClass.election, bytes)
        try await probe.expectStreamEnd(stream)
        try await probe.expectAlive()
      }
    }
    section.add(
      "ends the stream alone after an array that claims 2^32 - 1 elements", "R-PAY-39", "R-PAY-41", "R-ERR-8"
    ) {
      stage in
      let probe = try await stage.established()
      let bytes = [0x00, 0x81, 0xA7] + Array("Entries".utf8) + [0xDD, 0xFF, 0xFF, 0xFF, 0xFF]
      let stream = try await probe.open(bytes)
      try await probe.expectStreamEnd(stream)
      try await probe.expectAlive()
    }
    section.add("ends the stream alone when it ends inside a request", "R-ERR-8", "R-PAY-6") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Array(Requests.append().dropLast(3)), fin: true)
      try await probe.expectStreamEnd(stream)
      try await probe.expectService()
    }
    section.add("answers what came before a fault, or ends the stream", "R-ERR-8", "R-PAY-43") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Requests.append() + [0x63, 0x01, 0x02])
      try await probe.expectStreamEnd(stream)
      try await probe.expectService()
    }
    section.add("reads nothing behind a fault", "R-PAY-43", "R-PAY-2") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open([0x63] + Requests.append(), fin: true)
      let what = "no answer behind a fault"
      while true {
        let frame = try await probe.expect(what) { frame in
          frame.stream == stream && (frame.type == FrameKind.data || frame.type == FrameKind.reset)
            ? frame : nil
        }
        guard frame.streamBytes.isEmpty || frame.type == FrameKind.reset else {
          throw CaseFailure(expected: what, actual: "\(frame)")
        }
        if frame.isLast || frame.type == FrameKind.reset { return }
      }
    }
    return section.cases
  }()

  private static func field(_ value: [UInt8]) -> [UInt8] { [0xA4, 0x54, 0x65, 0x72, 0x6D] + value }

  /// A RequestVote whose only field is the term.
  private static func term(_ value: [UInt8]) -> [UInt8] { [0x01, 0x81] + field(value) }
}

extension Probe {
  /// The peer ends its half by RESET, or by FIN with a STOP of the other half.
  func expectStreamEnd(_ stream: UInt64) async throws {
    _ = try await expect("the end of stream \(stream)") { frame in
      frame.stream == stream && (frame.isLast || frame.type == FrameKind.reset) ? frame : nil
    }
  }
}
