import ConformanceSuite

extension Mutants {
  private static let refusedCode = CodeName.refused

  static let streams: [Mutant] = [
    Mutant(requirement: "R-STR-2", fault: "skips streams that come out of turn") { memory, direction, frame in
      guard direction == .toPeer, frame.isOpening else { return nil }
      let expected = UInt64(2 * memory.counts["opened", default: 0] + 1)
      guard frame.stream == expected else { return Mutant.Traffic() }
      _ = memory.count("opened")
      return nil
    },
    Mutant(requirement: "R-STR-3", fault: "skips frames about streams that never were") {
      memory, direction, frame in
      guard direction == .toPeer, (FrameKind.data...FrameKind.stop).contains(frame.type) else { return nil }
      if frame.isOpening {
        memory.streams[frame.stream] = 1
        return nil
      }
      return memory.streams[frame.stream] == nil ? Mutant.Traffic() : nil
    },
    .miscodes("R-STR-5", FrameKind.reset, .unknownClass, as: .cancelled),
    .miscodes("R-STR-6", FrameKind.stop, .unknownEncoding, as: .cancelled),
    .mishears("R-STR-7", "takes chunks on any class") { _, frame in
      frame.isOpening && frame.trafficClass != StreamClass.snapshot && frame.encoding == 1
        ? frame.with { $0.encoding = 0 } : nil
    },
    .mishears("R-STR-8", "serves any group") { _, frame in
      guard frame.isOpening, frame.group ?? 0 != 0 else { return nil }
      return frame.with { $0.payload.replaceSubrange(0..<8, with: Array(repeating: 0, count: 8)) }
    },
    .touchy("R-STR-9", "does not bear the rest of a stream that it refuses") { memory, frame in
      if frame.isOpening, frame.encoding > 1 { memory.streams[frame.stream] = 1 }
      return !frame.isOpening && frame.type == FrameKind.data && memory.streams[frame.stream] != nil
    },
    .miscodes("R-ERR-4", FrameKind.reset, .cancelled, as: .none),
    .mishears("R-ERR-1", "ends the connection where a stream has to end") { _, frame in
      frame.isOpening && frame.encoding > 1 ? Mutant.poison : nil
    },
    .says("R-STR-1", "opens streams with the ids of the other side", as: .client) { _, frame in
      frame.isOpening ? [frame.with { $0.stream += 1 }] : nil
    },
    .says("R-STR-10", "opens streams of a group", as: .client) { _, frame in
      guard frame.isOpening else { return nil }
      return [frame.with { $0.payload[7] = 9 }]
    },
    .says("R-FRM-24", "opens streams without a group", as: .client) { _, frame in
      frame.isOpening ? [frame.with { $0.payload.removeFirst(8) }] : nil
    },
    .says("R-STR-23", "resets streams that never were") { _, frame in
      frame.type == FrameKind.pong ? [frame, .reset(1_000_002, 0x40)] : nil
    },
  ]

  static let halves: [Mutant] = [
    .says("R-STR-11", "sends DATA behind FIN") { _, frame in frame.isLast ? [frame, frame] : nil },
    Mutant(requirement: "R-STR-12", fault: "skips DATA behind the end of a half") {
      memory, direction, frame in
      guard direction == .toPeer else { return nil }
      if frame.type == FrameKind.reset { memory.streams[frame.stream] = 1 }
      guard frame.type == FrameKind.data else { return nil }
      if memory.streams[frame.stream] != nil { return Mutant.Traffic() }
      if frame.isLast { memory.streams[frame.stream] = 1 }
      return nil
    },
    .touchy("R-STR-14", "does not bear RESET behind FIN") { memory, frame in
      if frame.isLast { memory.streams[frame.stream] = 1 }
      return frame.type == FrameKind.reset && memory.streams[frame.stream] != nil
    },
    .says("R-STR-15", "answers STOP with a code of its own") { _, frame in
      frame.type == FrameKind.reset ? [frame.with { $0.setCode(0x4B) }] : nil
    },
    Mutant(requirement: "R-STR-16", fault: "does not bear STOP that comes late") { memory, direction, frame in
      if direction == .toSuite, frame.isLast { memory.streams[frame.stream] = 1 }
      guard direction == .toPeer, frame.type == FrameKind.stop, memory.streams[frame.stream] != nil else {
        return nil
      }
      return Mutant.toPeer(Mutant.poison)
    },
    Mutant(requirement: "R-STR-17", fault: "does not bear CREDIT that comes late") {
      memory, direction, frame in
      if direction == .toSuite, frame.isLast { memory.streams[frame.stream] = 1 }
      guard direction == .toPeer, frame.type == FrameKind.credit, memory.streams[frame.stream] != nil else {
        return nil
      }
      return Mutant.toPeer(Mutant.poison)
    },
    Mutant(requirement: "R-STR-18", fault: "does not bear frames about streams that are over") {
      memory, direction, frame in
      if direction == .toSuite, frame.isLast { memory.streams[frame.stream] = 1 }
      guard direction == .toPeer, frame.type == FrameKind.reset, memory.streams[frame.stream] != nil else {
        return nil
      }
      return Mutant.toPeer(Mutant.poison)
    },
    Mutant(requirement: "R-STR-19", fault: "does not bear DATA that it has stopped") {
      memory, direction, frame in
      if direction == .toSuite, frame.type == FrameKind.stop { memory.streams[frame.stream] = 1 }
      guard direction == .toPeer, frame.type == FrameKind.data, memory.streams[frame.stream] != nil else {
        return nil
      }
      return Mutant.toPeer(Mutant.poison)
    },
    Mutant(requirement: "R-STR-20", fault: "mixes the bytes of a stream up") { memory, direction, frame in
      guard direction == .toPeer, frame.type == FrameKind.data, frame.streamBytes.count > 1 else {
        return nil
      }
      return Mutant.toPeer(
        frame.with {
          $0.payload =
            Array($0.payload.prefix(frame.isOpening ? 9 : 1))
            + $0.payload.dropFirst(frame.isOpening ? 9 : 1).reversed()
        })
    },
    .mishears("R-STR-21", "takes a reset request for a whole one") { _, frame in
      frame.type == FrameKind.reset ? .data(frame.stream, [0x01], fin: true) : nil
    },
    .says("R-STR-22", "says STOP twice") { _, frame in frame.type == FrameKind.stop ? [frame, frame] : nil },
    .says("R-STR-25", "never ends a half that was stopped") { _, frame in
      frame.type == FrameKind.reset ? [] : nil
    },
    .touchy("R-ERR-2", "does not bear unknown codes") { _, frame in
      (frame.type == FrameKind.reset || frame.type == FrameKind.stop) && (frame.code ?? 0) > 0x4B
    },
    .touchy("R-ERR-5", "does not bear the code 0") { _, frame in
      (FrameKind.reset...FrameKind.stop).contains(frame.type) && frame.code == 0
    },
    .touchy("R-ERR-8", "ends the connection after a request that it cannot read") { _, frame in
      frame.isOpening && frame.encoding == 0 && (frame.streamBytes.first ?? 0) > 4
    },
  ]
}
