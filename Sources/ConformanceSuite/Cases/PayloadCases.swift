internal import NIOCore
internal import RaftWire

/// The page payloads, as far as a peer's answers show it. Bytes of all kinds are in the vectors.
enum PayloadCases {
  static let all = calls + readings + faults

  private static let calls: [ConformanceCase] = {
    var section = Section("calls")
    section.add("answers AppendEntries", "R-PAY-1", "R-PAY-4", "R-PAY-47") { stage in
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
    section.add("answers the requests of a pipeline in order", "R-PAY-1", "R-PAY-45", "R-STR-20") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open((1...20).flatMap { Requests.append(index: $0) }, fin: true)
      try await Requests.checkAnswers(probe.expectAnswer(stream), count: 20)
    }
    section.add("answers requests of several types on one stream", "R-PAY-44", "R-PAY-45") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Requests.vote + Requests.vote, fin: true)
      try await Requests.check(probe.expectAnswer(stream), RequestVoteResponse.self, count: 2)
      let mixed = try await probe.open(Requests.preVote + Requests.append() + Requests.timeoutNow, fin: true)
      var answers = AnswerReader(
        try await probe.expectAnswer(mixed), "answers to RequestPreVote, AppendEntries and TimeoutNow")
      try answers.next(RequestPreVoteResponse.self)
      try answers.next(AppendEntriesResponse.self)
      try answers.next(TimeoutNowResponse.self)
      try answers.finish()
    }
    section.add(
      "writes its answers byte for byte as one of the profiles does", "R-PAY-7", "R-PAY-8", "R-PAY-9",
      "R-PAY-10",
      "R-PAY-12", "R-PAY-13", "R-PAY-14", "R-PAY-18"
    ) { stage in
      let probe = try await stage.established()
      let requests = Requests.vote + Requests.append(index: 300) + Requests.timeoutNow
      let stream = try await probe.open(requests + Requests.append(index: 1 << 40), fin: true)
      var answers = AnswerReader(try await probe.expectAnswer(stream), "answers to four requests")
      try answers.next(RequestVoteResponse.self)
      try answers.next(AppendEntriesResponse.self)
      try answers.next(TimeoutNowResponse.self)
      try answers.next(AppendEntriesResponse.self)
      try answers.finish()
    }
    section.add(
      "writes its answer to a pre-vote in the same way", "R-PAY-7", "R-PAY-8", "R-PAY-14", "R-PAY-18"
    ) {
      stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Requests.vote + Requests.preVote, fin: true)
      var answers = AnswerReader(try await probe.expectAnswer(stream), "answers to a vote and a pre-vote")
      try answers.next(RequestVoteResponse.self)
      try answers.next(RequestPreVoteResponse.self)
      try answers.finish()
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
    let blank = RequestVoteRequest()
    for (title, requirement, bytes, meaning) in [
      ("a request that is nil", "R-PAY-22", [0x01, 0xC0], blank),
      ("a request without fields", "R-PAY-20", [0x01, 0x80], blank),
      ("a field of unknown name", "R-PAY-21", [0x01, 0x81, 0xA3, 0x46, 0x6F, 0x6F, 0x92, 0x01, 0xC0], blank),
      (
        "an integer in a longer format than need be", "R-PAY-23", term([0xCF, 0, 0, 0, 0, 0, 0, 0, 7]),
        .init(term: 7)
      ),
      ("an integer in a signed format", "R-PAY-23", term([0xD2, 0, 0, 0, 7]), .init(term: 7)),
      ("a field that is nil", "R-PAY-22", term([0xC0]), blank),
      ("a field that comes twice", "R-PAY-27", [0x01, 0x82] + field([0x01]) + field([0x02]), .init(term: 2)),
      (
        "an array in the place of a map", "R-PAY-24", [0x01, 0x91, 0x03],
        .init(header: RPCHeader(protocolVersion: 3))
      ),
      (
        "a key in the newer string format", "R-PAY-25",
        [0x01, 0x81, 0xD9, 0x04, 0x54, 0x65, 0x72, 0x6D, 0x01], .init(term: 1)
      ),
      (
        "a key in a binary format", "R-PAY-25", [0x01, 0x81, 0xC4, 0x04, 0x54, 0x65, 0x72, 0x6D, 0x01],
        .init(term: 1)
      ),
      (
        "a map with a longer header than need be", "R-PAY-23", [0x01, 0xDF, 0, 0, 0, 1] + field([0x01]),
        .init(term: 1)
      ),
      (
        "a boolean that is the number 1", "R-PAY-30",
        [0x01, 0x81, 0xB2] + Array("LeadershipTransfer".utf8) + [0x01], .init(leadershipTransfer: true)
      ),
      (
        "bytes in a binary format", "R-PAY-31",
        [0x01, 0x81, 0xA9] + Array("Candidate".utf8) + [0xC4, 0x01, 0x61],
        .init(candidate: ByteBuffer(string: "a"))
      ),
      ("a skipped map whose key is an array", "R-PAY-36", [0x01, 0x81, 0xA1, 0x78, 0x81, 0x90, 0x01], blank),
      (
        "1,000 levels of nesting", "R-PAY-38",
        [0x01, 0x81, 0xA1, 0x78] + Array(repeating: 0x91, count: 1_000) + [0xC0], blank
      ),
    ] as [(String, String, [UInt8], RequestVoteRequest)] {
      section.add("reads \(title)", requirement) { stage in
        let probe = try await stage.established()
        let usual = try await probe.open(
          StreamClass.election, Requests.bytes(.requestVote(meaning)), fin: true)
        let expected = try await Requests.check(probe.expectAnswer(usual), RequestVoteResponse.self)
        let stream = try await probe.open(StreamClass.election, bytes, fin: true)
        let actual = try await Requests.check(probe.expectAnswer(stream), RequestVoteResponse.self)
        // A server may refuse the request, but not because of how it is written.
        if let error = actual[0].error, expected[0].error == nil {
          throw CaseFailure(
            expected: "an answer without an error, as the same request in its usual form gets",
            actual: "the error '\(printable(String(buffer: error)))'")
        }
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
      try await probe.expectStreamEnd(stream, answersBefore: 1)
      try await probe.expectService()
    }
    section.add("reads nothing behind a fault, and does not answer it", "R-PAY-43", "R-PAY-50", "R-PAY-2") {
      stage in
      let probe = try await stage.established()
      let stream = try await probe.open([0x63] + Requests.append(), fin: true)
      try await probe.expectStreamEnd(stream)
    }
    section.add("stops what it cannot read, and resets its half with the same code", "R-PAY-48") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open([0x63, 0x01])
      let what = "STOP of a request that cannot be read, and RESET with the same code"
      var codes: [UInt8: UInt32?] = [:]
      while codes.count < 2 {
        let frame = try await probe.expect(what) { frame in
          frame.stream == stream && [FrameKind.stop, FrameKind.reset].contains(frame.type) ? frame : nil
        }
        codes[frame.type] = frame.code
      }
      guard codes[FrameKind.stop] == codes[FrameKind.reset] else {
        throw CaseFailure(expected: what, actual: await probe.recently)
      }
    }
    return section.cases
  }()

  private static func field(_ value: [UInt8]) -> [UInt8] { [0xA4, 0x54, 0x65, 0x72, 0x6D] + value }

  /// A RequestVote whose only field is the term.
  private static func term(_ value: [UInt8]) -> [UInt8] { [0x01, 0x81] + field(value) }
}

extension Probe {
  /// The peer ends its half, by RESET or as upstream does it by FIN, without an answer to what cannot be read. Requests
  /// before that may have been answered.
  func expectStreamEnd(_ stream: UInt64, answersBefore count: Int = 0) async throws {
    let what =
      "the end of stream \(stream)"
      + (count == 0 ? " without an answer" : ", at most \(count) answer before it")
    let bytes = try await expectEndOfHalf(stream, what)
    guard !bytes.isEmpty else { return }
    guard count > 0 else {
      throw CaseFailure(expected: what, actual: "\(bytes.count) bytes: \(hexadecimal(bytes))")
    }
    try Requests.checkAnswers(bytes, count: count)
  }
}
