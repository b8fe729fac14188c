internal import NIOCore
internal import RaftWire

/// What only a client that makes calls can show. It has to call again and again; see the command's help.
enum ClientCases {
  static let all: [ConformanceCase] = {
    var section = Section("client")
    section.add(
      "opens streams with requests that can be read", "R-STR-1", "R-STR-10", "R-FRM-24", "R-PAY-1", "R-PAY-7",
      only: .client
    ) {
      stage in
      let probe = try await stage.established()
      try await probe.expectRequests(3)
    }
    section.add("ends its half behind a request", "R-STR-25", only: .client) { stage in
      let probe = try await stage.established()
      let opened = try await probe.expectOpening()
      if opened.isLast { return }
      _ = try await probe.expect("FIN or RESET of the stream") { frame in
        frame.stream == opened.stream && (frame.isLast || frame.type == FrameKind.reset) ? frame : nil
      }
    }
    section.add(
      "opens no more streams than it may, and more when it may", "R-FLW-18", "R-FLW-21", only: .client
    ) { stage in
      let probe = try await stage.established { hello in
        (hello.electionStreams, hello.appendStreams, hello.snapshotStreams) = (0, 0, 0)
      }
      try await probe.expectQuiet(for: .milliseconds(300)) { $0.isOpening }
      for trafficClass in StreamClass.election...StreamClass.snapshot {
        await probe.send(.streams(trafficClass, 1))
        _ = try await probe.expect("a stream of class \(StreamClass.name(trafficClass))") { frame in
          frame.isOpening && frame.trafficClass == trafficClass ? frame : nil
        }
      }
    }
    section.add("keeps frames within the maximum of its peer", "R-FRM-5", only: .client) { stage in
      let probe = try await stage.established { $0.maximumFramePayload = 4_096 }
      try await probe.expectLargeRequest()
    }
    section.add("keeps within the window and goes on with credit", "R-FLW-1", "R-FLW-5", only: .client) {
      stage in
      let probe = try await stage.established(manners: .init(grantsCredit: false)) {
        $0.initialWindow = 16_384
      }
      let stuck = try await probe.expect("a request that fills its window") { frame in
        frame.type == FrameKind.data && frame.flags & DataFlag.more != 0 ? frame.stream : nil
      }
      // Who keeps to no limit has gone on meanwhile.
      for _ in 1...2 { try await probe.expectAlive() }
      await probe.change { $0.grantsCredit = true }
      await probe.send(.credit(stuck, 32_768))
      try await probe.expectLargeRequest()
    }
    section.add("lets no stream without credit hold up others", "R-SCH-5", "R-FRM-22", only: .client) {
      stage in
      let probe = try await stage.established(manners: .init(grantsCredit: false)) {
        $0.initialWindow = 16_384
      }
      let stuck = try await probe.expect("a request that fills its window") { frame in
        frame.type == FrameKind.data && frame.flags & DataFlag.more != 0 ? frame.stream : nil
      }
      _ = try await probe.expect("another stream while one is stuck") { frame in
        frame.isOpening && frame.stream > stuck ? frame : nil
      }
    }
    section.add("answers STOP on its request by RESET with the same code", "R-STR-15", only: .client) {
      stage in
      let probe = try await stage.established(manners: .init(answersRequests: false, grantsCredit: false)) {
        $0.initialWindow = 16_384
      }
      let stream = try await probe.expect("a request that fills its window") { frame in
        frame.type == FrameKind.data && frame.flags & DataFlag.more != 0 ? frame.stream : nil
      }
      await probe.send(.stop(stream, CodeName.messageTooLarge.rawValue))
      try await probe.expectReset(stream, CodeName.messageTooLarge.rawValue)
      try await probe.expectAlive()
    }
    section.add("goes on when a request is refused", "R-ERR-1", only: .client) { stage in
      let probe = try await stage.established(manners: .init(answersRequests: false))
      let first = try await probe.expectOpening()
      await probe.send(
        .reset(first.stream, CodeName.refused.rawValue), .stop(first.stream, CodeName.refused.rawValue))
      _ = try await probe.expect("another request") { $0.isOpening && $0.stream > first.stream ? $0 : nil }
      try await probe.expectAlive()
    }
    section.add("goes on when an answer cannot be read", "R-ERR-8", "R-PAY-26", only: .client) { stage in
      let probe = try await stage.established(manners: .init(answersRequests: false))
      let first = try await probe.expectOpening()
      await probe.send(.data(first.stream, [0xC1, 0xFF, 0xFF], fin: true))
      _ = try await probe.expect("another request") { $0.isOpening && $0.stream > first.stream ? $0 : nil }
      try await probe.expectAlive()
    }
    section.add("goes on when an answer is empty", "R-ERR-8", only: .client) { stage in
      let probe = try await stage.established(manners: .init(answersRequests: false))
      let first = try await probe.expectOpening()
      await probe.send(.data(first.stream, fin: true))
      _ = try await probe.expect("another request") { $0.isOpening && $0.stream > first.stream ? $0 : nil }
      try await probe.expectAlive()
    }
    section.add("takes an answer in single bytes", "R-FRM-26", "R-PAY-6", only: .client) { stage in
      let probe = try await stage.established(manners: .init(answersRequests: false))
      let first = try await probe.expectOpening()
      let answer = [UInt8](arrayLiteral: 0xA0, 0xC0)
      await probe.send(answer.map { .data(first.stream, [$0]) } + [.data(first.stream, fin: true)])
      _ = try await probe.expect("another request") { $0.isOpening && $0.stream > first.stream ? $0 : nil }
      try await probe.expectAlive()
    }
    section.add(ending: .flowControl, after: "an answer that exceeds its window", "R-FLW-2", only: .client) {
      probe in
      await probe.answerNoMore()
      let first = try await probe.expectOpening()
      // A byte that starts no answer. Most clients stop the half, which then earns no credit; from one that takes what it
      // cannot read, and drops it, credit may come at any time.
      await probe.send(.data(first.stream, [0xC1]))
      let stop = try? await probe.expect("STOP", within: .seconds(3)) { frame in
        frame.stream == first.stream && frame.type == FrameKind.stop ? frame : nil
      }
      try await probe.expectAlive()
      guard stop != nil else { throw CaseSkipped("the client does not stop an answer that it cannot read") }
      await probe.send(await probe.frames(filling: first.stream))
    }
    section.add(ending: .streamState, after: "an answer behind its FIN", "R-STR-12", only: .client) { probe in
      await probe.answerNoMore()
      let first = try await probe.expectOpening()
      await probe.send(.data(first.stream, [0xA0, 0xC0], fin: true), .data(first.stream, [0xA0]))
    }
    section.add(
      "writes its requests byte for byte as one of the profiles does", "R-PAY-7", "R-PAY-8", "R-PAY-9",
      "R-PAY-10",
      "R-PAY-11", "R-PAY-12", "R-PAY-13", "R-PAY-14", "R-PAY-15", "R-PAY-17", "R-PAY-18", only: .client
    ) { stage in
      let probe = try await stage.established()
      try await probe.expectRequests(4)
      try await probe.expectVote()
    }
    section.add("asks for votes", "R-PAY-1", "R-STR-1", only: .client) { stage in
      let probe = try await stage.established()
      try await probe.expectVote()
    }
    section.add(
      "sends whole snapshots, and nothing behind them", "R-PAY-3", "R-SNAP-1", "R-SNAP-3", "R-SNAP-4",
      "R-SNAP-5",
      "R-SNAP-6", "R-SNAP-7", "R-SNAP-8", "R-SNAP-9", "R-SNAP-10", "R-SNAP-11", "R-SNAP-15", "R-SNAP-16",
      only: .client
    ) { stage in
      let probe = try await stage.established()
      try await probe.expectSnapshots(2)
    }
    section.add("sends a snapshot through a small window", "R-FLW-1", "R-SNAP-2", "R-FRM-5", only: .client) {
      stage in
      let probe = try await stage.established {
        ($0.initialWindow, $0.maximumFramePayload) = (16_384, 4_096)
      }
      try await probe.expectSnapshots(1)
    }
    section.add(
      "ends the body of a snapshot that is answered early", "R-SNAP-19", "R-STR-15", "R-STR-25", only: .client
    ) { stage in
      let probe = try await stage.established(manners: .init(answersRequests: false, grantsCredit: false)) {
        $0.initialWindow = 16_384
      }
      let stream = try await probe.expect("a snapshot that fills its window") { frame in
        frame.isOpening && frame.trafficClass == StreamClass.snapshot ? frame.stream : nil
      }
      await probe.send(
        .data(stream, [0xA3] + Array("no!".utf8) + [0xC0], fin: true),
        .stop(stream, CodeName.notNeeded.rawValue))
      // A small one may have been sent whole before the answer came.
      try await probe.expectEndOfHalf(stream, "the end of a body that nobody needs")
      try await probe.expectAlive()
    }
    section.add("dials again when it is told of a drain", "R-DRN-5", "R-DRN-23", only: .client) { stage in
      let probe = try await stage.established()
      await probe.send(.goAway(last: .max, 0x0C))
      let ping = await probe.newPing()
      await probe.send(.ping(ping))
      await probe.send(.goAway(last: 1 << 40, 0x0C))
      await probe.finish()
      try await probe.expectEnding()
      let next = try await stage.established()
      try await next.expectRequests(1)
    }
    section.add("dials again when a connection is gone", "R-DRN-19", only: .client) { stage in
      let probe = try await stage.established()
      await probe.close()
      let next = try await stage.established()
      try await next.expectRequests(1)
    }
    return section.cases
  }()
}

extension Probe {
  /// The next stream that the peer opens for anything but a snapshot.
  func expectOpening() async throws -> ProbeFrame {
    try await expect("a request of the client") { frame in
      frame.isOpening && frame.trafficClass != StreamClass.snapshot ? frame : nil
    }
  }

  func expectVote() async throws {
    let what = "RequestVote or RequestPreVote"
    func isVote(_ command: WireCommand) -> Bool {
      command.rpcType == .requestVote || command.rpcType == .requestPreVote
    }
    while !requests.contains(where: isVote) {
      guard try await nextFrame(what) != nil else {
        throw CaseFailure(expected: what, actual: "the end of the connection")
      }
    }
  }

  /// Snapshots that came whole, each of more than 20,000 bytes.
  func expectSnapshots(_ count: Int) async throws {
    let what = "\(count) whole snapshots of more than 20,000 bytes"
    while snapshots.count(where: { $0.size > 20_000 }) < count {
      // What is wrong with them says more than that they do not come.
      try checkAudit()
      guard try await nextFrame(what) != nil else {
        throw CaseFailure(expected: what, actual: "the end of the connection")
      }
    }
  }

  func expectRequests(_ count: Int) async throws {
    while requests.count < count {
      guard try await nextFrame("\(count) requests that can be read") != nil else {
        throw CaseFailure(expected: "\(count) requests that can be read", actual: "\(requests.count) of them")
      }
    }
  }

  /// A request larger than 16 KiB, whole.
  func expectLargeRequest() async throws {
    func isLarge(_ command: WireCommand) -> Bool {
      guard case .appendEntries(let request) = command else { return false }
      return (request.entries ?? []).reduce(0) { $0 + ($1?.data?.readableBytes ?? 0) } > 20_000
    }
    while !requests.contains(where: isLarge) {
      guard try await nextFrame("an AppendEntries request with more than 20,000 bytes") != nil else {
        throw CaseFailure(expected: "a large request", actual: "the end of the connection")
      }
    }
  }
}
