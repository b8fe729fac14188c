import ConformanceSuite

extension Mutants {
  /// What only a client that calls can do wrong.
  static let clients: [Mutant] = [
    .readsHello("R-FRM-5", "sends frames larger than its peer takes", as: .client) { _, hello in
      hello.maximumFramePayload = 65_536
    },
    .readsHello("R-FLW-1", "sends more than its peer takes", as: .client) { _, hello in
      hello.initialWindow = 1 << 20
    },
    .readsHello("R-FLW-18", "opens more streams than its peer takes", as: .client) { _, hello in
      (hello.electionStreams, hello.appendStreams) = (64, 256)
    },
    .says("R-FRM-22", "never says MORE", as: .client) { _, frame in
      frame.type == FrameKind.data ? [frame.with { $0.flags &= ~DataFlag.more }] : nil
    },
    Mutant(requirement: "R-SCH-5", fault: "lets a stream without credit hold up others", subject: .client) {
      memory, direction, frame in
      guard direction == .toSuite, frame.type == FrameKind.data else { return nil }
      if memory.counts["stuck"] != nil { return Mutant.Traffic() }
      if frame.flags & DataFlag.more != 0 { _ = memory.count("stuck") }
      return nil
    },
    .says("R-PAY-1", "asks what cannot be read", as: .client) { _, frame in
      guard frame.isOpening, frame.payload.count > 9 else { return nil }
      return [frame.with { $0.payload = Array($0.payload.prefix(9)) + [0xC1] }]
    },
    Mutant(
      requirement: "R-PAY-26", fault: "ends the connection when an answer cannot be read", subject: .client
    ) { _, direction, frame in
      direction == .toPeer && frame.type == FrameKind.data && frame.streamBytes.first == 0xC1
        ? Mutant.toSuite(.goAway(last: 0, 0x46)) : nil
    },
    .deaf("R-SNAP-19", "goes on with a body that nobody needs", as: .client) {
      $0.type == FrameKind.stop && $0.code == CodeName.notNeeded.rawValue
    },
  ]
}
