import ConformanceSuite

extension Mutants {
  static let framing: [Mutant] = [
    Mutant(requirement: "R-FRM-1", fault: "sends the preface twice", manners: .init(repeatsPreface: true)),
    Mutant(requirement: "R-FRM-2", fault: "speaks first", manners: .init(greeting: FrameReader.preface)),
    Mutant(
      requirement: "R-FRM-33", fault: "answers before it has the HELLO", manners: .init(answersPreface: true)),
    Mutant(
      requirement: "R-FRM-3", fault: "answers a stranger",
      manners: .init(answerToNonsense: Array("what?".utf8))),
    Mutant(
      requirement: "R-FRM-6", fault: "skips frames that are too large",
      manners: .init(swallowsOversized: true)),
    .deaf("R-FRM-8", "skips frames of unknown types") {
      $0.type < 0x40 && FrameKind.name($0.type).hasPrefix("type")
    },
    .deaf("R-FRM-9", "skips frames that were not negotiated") { (0x40...0x7F).contains($0.type) },
    .touchy("R-FRM-10", "does not bear ignorable frames") { _, frame in FrameKind.isIgnorable(frame.type) },
    .deaf("R-FRM-11", "bears ignorable frames of any size") {
      FrameKind.isIgnorable($0.type) && $0.payload.count > 4_096
    },
    .says("R-FRM-12", "sends no ignorable frame") { _, frame in FrameKind.isIgnorable(frame.type) ? [] : nil
    },
    .says("R-FRM-12", "sends two ignorable frames") { _, frame in
      FrameKind.isIgnorable(frame.type) ? [frame, frame] : nil
    },
    .mishears("R-FRM-13", "does not look at the stream of control frames") { _, frame in
      frame.type >= FrameKind.streams && frame.stream != 0 ? frame.with { $0.stream = 0 } : nil
    },
    .deaf("R-FRM-14", "skips DATA, CREDIT, RESET and STOP without a stream") {
      (FrameKind.data...FrameKind.stop).contains($0.type) && $0.stream == 0
    },
    .deaf("R-FRM-15", "skips control frames of a wrong length") { frame in
      switch frame.type {
      case FrameKind.credit, FrameKind.streams, FrameKind.ping, FrameKind.pong: frame.payload.count != 8
      case FrameKind.reset, FrameKind.stop: frame.payload.count != 4
      default: false
      }
    },
    .deaf("R-FRM-16", "skips GOAWAY whose length is wrong") { frame in
      guard frame.type == FrameKind.goAway else { return false }
      guard frame.payload.count >= 14 else { return true }
      let text = Int(frame.payload[12]) << 8 | Int(frame.payload[13])
      return frame.payload.count != 14 + text || text > 512
    },
    .says("R-FRM-17", "sets a flag in PONG") { _, frame in
      frame.type == FrameKind.pong ? [frame.with { $0.flags = 1 }] : nil
    },
    .mishears("R-FRM-18", "does not look at flags") { _, frame in
      let known: UInt8 = frame.type == FrameKind.data ? 7 : 0
      return FrameKind.isIgnorable(frame.type) ? nil : frame.with { $0.flags &= known }
    },
    .mishears("R-FRM-19", "does not look at the class") { _, frame in
      guard !frame.isOpening, frame.type != FrameKind.streams else { return nil }
      return FrameKind.isIgnorable(frame.type) ? nil : frame.with { $0.trafficClass = 0 }
    },
    .mishears("R-FRM-20", "does not look at the encoding") { _, frame in
      frame.isOpening || FrameKind.isIgnorable(frame.type) ? nil : frame.with { $0.encoding = 0 }
    },
    .deaf("R-FRM-21", "skips STREAMS of unknown classes") {
      $0.type == FrameKind.streams && !(1...3).contains($0.trafficClass)
    },
    .says("R-FRM-23", "sets MORE together with FIN") { _, frame in
      frame.isLast ? [frame.with { $0.flags |= DataFlag.more }] : nil
    },
    .deaf("R-FRM-25", "skips openings without a group") { $0.isOpening && $0.payload.count < 8 },
    .deaf("R-FRM-26", "loses frames of a single byte") {
      $0.type == FrameKind.data && $0.streamBytes.count == 1 && !$0.isOpening
    },
    Mutant(
      requirement: "R-FRM-27", fault: "loses short segments",
      manners: .init(losesShortSegments: true)),
    .touchy("R-FRM-28", "does not bear a text that is no UTF-8") { _, frame in
      frame.type == FrameKind.goAway && String(validating: frame.payload.dropFirst(14), as: UTF8.self) == nil
    },
  ]

  static let checksums: [Mutant] = [
    Mutant(
      requirement: "R-FRM-29", fault: "sends wrong checksums", usesChecksums: true,
      manners: .init(breaksChecksums: true)),
    Mutant(
      requirement: "R-FRM-30", fault: "sends checksums that nobody agreed on",
      manners: .init(sendsStrayChecksums: true)),
    Mutant(
      requirement: "R-FRM-31", fault: "does not check checksums", usesChecksums: true,
      manners: .init(trustsChecksums: true)),
    Mutant(requirement: "R-FRM-32", fault: "answers PING before it checks", usesChecksums: true) {
      _, direction, frame in
      guard direction == .toPeer, frame.type == FrameKind.ping else { return nil }
      return Mutant.toSuite(.pong(frame.number ?? 0))
    },
    Mutant(
      requirement: "R-HSK-11", fault: "uses a feature that only it has",
      manners: .init(sendsStrayChecksums: true)),
  ]
}
