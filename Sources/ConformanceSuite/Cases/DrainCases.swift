internal import NIOCore

/// The page drain, as far as the one side of it that the suite can play.
enum DrainCases {
  static let all: [ConformanceCase] = {
    var section = Section("drain")
    section.add("serves the streams that run when it is told of a drain", "R-DRN-7", "R-DRN-5") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Array(Requests.append().dropLast()))
      await probe.send(.goAway(last: .max, 0x0C), .data(stream, [Requests.append().last ?? 0], fin: true))
      try await Requests.checkAnswers(probe.expectAnswer(stream))
    }
    section.add("opens no stream behind a GOAWAY", "R-DRN-5") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Array(Requests.append().dropLast()))
      await probe.send(.goAway(last: .max, 0x0C))
      try await probe.expectAlive()
      try await probe.expectQuiet(for: .milliseconds(300)) { $0.isOpening }
      await probe.send(.data(stream, [Requests.append().last ?? 0], fin: true))
      try await Requests.checkAnswers(probe.expectAnswer(stream))
    }
    section.add("half-closes when a drain is over", "R-DRN-23") { stage in
      let probe = try await stage.established()
      await probe.send(.goAway(last: .max, 0x0C))
      try await probe.expectAliveOrDone().forEach { _ in }
      await probe.send(.goAway(last: 0, 0x0C))
      await probe.finish()
      try await probe.expectOrderlyEnd()
    }
    section.add(
      ending: .protocolViolation, after: "a GOAWAY whose last id is above an earlier one", "R-DRN-9"
    ) { probe in
      try await probe.hold()
      await probe.send(.goAway(last: 4, 0x0C), .goAway(last: 6, 0x0C))
    }
    section.add(ending: .protocolViolation, after: "a GOAWAY that takes its last id back", "R-DRN-9") {
      probe in
      try await probe.hold()
      await probe.send(.goAway(last: 0, 0x0C), .goAway(last: .max, 0x0C))
    }
    section.add("takes a GOAWAY with the same last id again", "R-DRN-9") { stage in
      let probe = try await stage.established()
      try await probe.hold()
      await probe.send(.goAway(last: .max, 0x0C), .goAway(last: .max, 0x0C))
      try await probe.expectAlive()
    }
    section.add("ends when it is told of an error", "R-DRN-24", "R-DRN-18") { stage in
      let probe = try await stage.established()
      try await probe.hold()
      await probe.send(
        .goAway(last: 0, CodeName.protocolViolation.rawValue, text: Array("a fault of yours".utf8)))
      try await probe.expectNothingAnswered()
    }
    section.add("ends when it is told of an error that it does not know", "R-ERR-3", "R-DRN-24") { stage in
      let probe = try await stage.established()
      try await probe.hold()
      await probe.send(.goAway(last: 0, 0xABCD_EF01))
      try await probe.expectNothingAnswered()
    }
    section.add("takes GOAWAY with the code 0 for a drain", "R-ERR-5") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Array(Requests.append().dropLast()))
      await probe.send(.goAway(last: .max, 0), .data(stream, [Requests.append().last ?? 0], fin: true))
      try await Requests.checkAnswers(probe.expectAnswer(stream))
    }
    section.add("ends when the input ends without GOAWAY", "R-DRN-19") { stage in
      let probe = try await stage.established()
      try await probe.hold()
      await probe.finish()
      try await probe.expectEnding()
    }
    section.add("ends when the input ends inside a frame", "R-DRN-19", "R-ERR-9") { stage in
      let probe = try await stage.established()
      await probe.sendBytes(Array(await probe.encode([.ping(1)]).prefix(9)))
      await probe.finish()
      try await probe.expectEnding()
    }
    section.add("ends when the input ends inside the preface", "R-DRN-19", "R-ERR-9") { stage in
      let probe = try await stage.connect()
      if stage.subject == .client { try await probe.expectHello() }
      await probe.sendBytes([0xAC, 0x52])
      await probe.finish()
      try await probe.expectEnding()
    }
    return section.cases
  }()
}

extension Probe {
  /// Keeps a stream open, so that a drain has something to wait for.
  func hold() async throws {
    _ = try await open(Array(Requests.append().dropLast()))
  }

  /// No frame of a kind for a while.
  func expectQuiet(for time: TimeAmount, _ isUnwanted: @Sendable (ProbeFrame) -> Bool) async throws {
    let end = NIODeadline.now() + time
    while NIODeadline.now() < end {
      do {
        guard let frame = try await nextFrame("", within: end - .now()) else { return }
        if isUnwanted(frame) { throw CaseFailure(expected: "no such frame", actual: "\(frame)") }
      } catch let failure as CaseFailure where failure.expected.isEmpty {
        return
      }
    }
  }

  func expectOrderlyEnd() async throws {
    let what = "the end of input"
    while let frame = try await nextFrame(what) {
      if frame.type == FrameKind.goAway, frame.code != CodeName.shutdown.rawValue {
        throw CaseFailure(expected: what, actual: "\(frame)")
      }
    }
    guard ending == .orderly else { throw CaseFailure(expected: "a half-close", actual: "a reset") }
  }

  /// The end of a connection whose peer was told of an error: it sends nothing more but what was on its way.
  func expectNothingAnswered() async throws {
    let ping = newPing()
    await send(.ping(ping))
    let what = "the end of the connection"
    while let frame = try await nextFrame(what) {
      if frame.type == FrameKind.pong, frame.number == ping {
        throw CaseFailure(expected: what, actual: "\(frame)")
      }
    }
  }
}
