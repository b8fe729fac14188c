import ConformanceSuite

extension Mutants {
  static let payloads: [Mutant] =
    [
      .mishears("R-PAY-1", "does not know requests", unreadable),
      .mishears("R-PAY-2", "takes any request type", anythingIsFine),
      .mishears("R-PAY-3", "takes a body for a request") { _, frame in
        guard frame.isOpening, frame.trafficClass == StreamClass.snapshot, frame.encoding == 0,
          frame.streamBytes.count > 1
        else { return nil }
        return frame.with { $0.payload.append(0x63) }
      },
      .says("R-PAY-4", "answers with half an answer") { _, frame in
        guard frame.type == FrameKind.data, !frame.streamBytes.isEmpty else { return nil }
        return [frame.with { $0.payload.removeLast() }]
      },
      .deaf("R-PAY-6", "loses frames of a single byte") {
        $0.type == FrameKind.data && $0.streamBytes.count == 1 && !$0.isOpening
      },
      .mishears("R-PAY-44", "takes one request on a stream", unreadable),
      .says("R-PAY-45", "mixes its answers up") { _, frame in
        guard frame.type == FrameKind.data, frame.streamBytes.count > 1 else { return nil }
        return [frame.with { $0.payload.reverse() }]
      },
      .says("R-PAY-47", "does not end its half") { _, frame in
        frame.isLast ? [frame.with { $0.flags &= ~DataFlag.fin }] : nil
      },
      .mishears("R-PAY-43", "reads on behind a fault") { _, frame in
        guard frame.isOpening, frame.streamBytes.first == 0x63 else { return nil }
        return frame.with { $0.payload.remove(at: 8) }
      },
    ]
    + ["R-PAY-20", "R-PAY-21", "R-PAY-23", "R-PAY-24", "R-PAY-25", "R-PAY-27", "R-PAY-31", "R-PAY-36"].map {
      .mishears($0, "cannot read what it has to", unreadable)
    }
    + [
      "R-PAY-22", "R-PAY-25", "R-PAY-28", "R-PAY-29", "R-PAY-30", "R-PAY-32", "R-PAY-33", "R-PAY-37",
      "R-PAY-38", "R-PAY-39",
    ].map {
      .mishears($0, "takes what it has to refuse", anythingIsFine)
    }

  /// Every request is of an unknown type.
  private static let unreadable: @Sendable (inout Mutant.Memory, ProbeFrame) -> ProbeFrame? = { _, frame in
    guard frame.isOpening, frame.payload.count > 8 else { return nil }
    return frame.with { $0.payload = Array($0.payload.prefix(8)) + [0x63] }
  }

  /// Every request is a RequestVote without fields.
  private static let anythingIsFine: @Sendable (inout Mutant.Memory, ProbeFrame) -> ProbeFrame? = {
    _, frame in
    guard frame.isOpening, frame.payload.count > 8, frame.encoding == 0 else { return nil }
    return frame.with { $0.payload = Array($0.payload.prefix(8)) + [0x01, 0x80] }
  }

  static let snapshots: [Mutant] =
    [
      .deaf("R-SNAP-2", "loses frames of a single byte") {
        $0.type == FrameKind.data && $0.streamBytes.count == 1 && !$0.isOpening
      },
      .touchy("R-SNAP-14", "ends the connection for a fault in a chunk") { _, frame in
        frame.isOpening && frame.encoding == 1 && !frame.isLast
      },
      .mishears("R-SNAP-20", "takes no chunks") { _, frame in
        frame.isOpening && frame.encoding == 1 ? frame.with { $0.encoding = 2 } : nil
      },
      .mishears("R-SNAP-1", "cannot read chunks") { _, frame in
        frame.isOpening && frame.encoding == 1 ? frame.with { $0.encoding = 2 } : nil
      },
      .mishears("R-SNAP-17", "takes FIN for the end of any body") { _, frame in
        guard frame.isOpening, frame.trafficClass == StreamClass.snapshot, frame.isLast, frame.encoding == 0
        else {
          return nil
        }
        return frame.with { $0.payload.append(1) }
      },
      .mishears("R-SNAP-18", "takes a reset body for a whole one") { _, frame in
        guard frame.type == FrameKind.reset else { return nil }
        return .data(frame.stream, Array(repeating: 1, count: 50), fin: true)
      },
    ]
    + [
      "R-SNAP-3", "R-SNAP-4", "R-SNAP-5", "R-SNAP-6", "R-SNAP-7", "R-SNAP-8", "R-SNAP-9", "R-SNAP-10",
      "R-SNAP-11", "R-SNAP-13",
    ]
    .map { requirement in
      .says(requirement, "says nothing of a fault in a chunk") { _, frame in
        frame.type == FrameKind.stop && frame.code == CodeName.malformedChunk.rawValue ? [] : nil
      }
    }

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
    .says("R-PAY-7", "leaves fields out of its requests", as: .client) { _, frame in
      guard frame.isOpening, frame.payload.count > 9 else { return nil }
      return [frame.with { $0.payload = Array($0.payload.prefix(9)) + [0xC1] }]
    },
    Mutant(
      requirement: "R-PAY-26", fault: "ends the connection when an answer cannot be read", subject: .client
    ) { _, direction, frame in
      direction == .toPeer && frame.type == FrameKind.data && frame.streamBytes.first == 0xC1
        ? Mutant.toSuite(.goAway(last: 0, 0x46)) : nil
    },
  ]
}
