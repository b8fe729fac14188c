import ConformanceSuite

extension Mutants {
  static let credit: [Mutant] = [
    Mutant(requirement: "R-FLW-2", fault: "drops what exceeds the window") { memory, direction, frame in
      guard direction == .toPeer, frame.type == FrameKind.data else { return nil }
      let sum = memory.streams[frame.stream, default: 0] + frame.streamBytes.count
      guard sum <= Int(memory.peerHello?.initialWindow ?? 0) else { return Mutant.Traffic() }
      memory.streams[frame.stream] = sum
      return nil
    },
    .says("R-FLW-3", "takes credit back") { memory, frame in
      guard frame.type == FrameKind.credit, memory.count("credits") > 1 else { return nil }
      return [.credit(frame.stream, 5)]
    },
    .touchy("R-FLW-4", "does not bear CREDIT that changes nothing") { _, frame in
      frame.type == FrameKind.credit && frame.number == 0
    },
    Mutant(requirement: "R-FLW-5", fault: "makes FIN wait for credit") { memory, direction, frame in
      guard direction == .toPeer, frame.type == FrameKind.data else { return nil }
      let before = memory.streams[frame.stream, default: 0]
      memory.streams[frame.stream] = before + frame.streamBytes.count
      let isFull = before == Int(memory.peerHello?.initialWindow ?? 0)
      return isFull && frame.isLast ? Mutant.toPeer(.data(frame.stream, [0])) : nil
    },
    .says("R-FLW-6", "grants no credit for what it has answered") { memory, frame in
      if frame.type == FrameKind.data { memory.streams[frame.stream] = 1 }
      return frame.type == FrameKind.credit && memory.streams[frame.stream] != nil ? [] : nil
    },
    .says("R-FLW-7", "grants credit on a half that it has stopped") { _, frame in
      frame.type == FrameKind.stop ? [frame, .credit(frame.stream, 1 << 40)] : nil
    },
    .says("R-FLW-11", "has no room for a message that is larger than two windows") { memory, frame in
      let window = UInt64(memory.peerHello?.initialWindow ?? 0)
      return frame.type == FrameKind.credit && (frame.number ?? 0) > 2 * window ? [] : nil
    },
    .says("R-FLW-16", "grants no credit inside a message") { memory, frame in
      if frame.type == FrameKind.data { memory.streams[frame.stream] = 1 }
      return frame.type == FrameKind.credit && memory.streams[frame.stream] == nil ? [] : nil
    },
    .miscodes("R-FLW-17", FrameKind.stop, .messageTooLarge, as: .cancelled),
    Mutant(requirement: "R-FLW-19", fault: "skips streams for which there is no place") {
      memory, direction, frame in
      guard direction == .toPeer, frame.isOpening else { return nil }
      let count = memory.count("class \(frame.trafficClass)")
      return count > Int(memory.peerHello?.streamCredit(frame.trafficClass) ?? 0) ? Mutant.Traffic() : nil
    },
    .says("R-FLW-20", "takes places back") { _, frame in
      frame.type == FrameKind.streams ? [.streams(frame.trafficClass, 1)] : nil
    },
    .touchy("R-FLW-21", "does not bear STREAMS that changes nothing") { _, frame in
      frame.type == FrameKind.streams && frame.number == 0
    },
    Mutant(requirement: "R-FLW-22", fault: "gives places back at once") { memory, direction, frame in
      guard direction == .toPeer, frame.isOpening, frame.trafficClass == StreamClass.snapshot else {
        return nil
      }
      let total = UInt64(memory.count("snapshots")) + UInt64(memory.peerHello?.snapshotStreams ?? 0)
      return Mutant.Traffic(toPeer: [frame], toSuite: [.streams(StreamClass.snapshot, total)])
    },
    .says("R-FLW-23", "gives no places back") { _, frame in frame.type == FrameKind.streams ? [] : nil },
    Mutant(requirement: "R-FLW-24", fault: "does not count the streams that it refuses") {
      memory, direction, frame in
      guard direction == .toPeer, frame.isOpening else { return nil }
      let count = memory.count("class \(frame.trafficClass)")
      return count > Int(memory.peerHello?.streamCredit(frame.trafficClass) ?? 0) ? Mutant.Traffic() : nil
    },
    refusingElections("R-FLW-27", "refuses an election for lack of room") { memory, frame in
      guard frame.isOpening, frame.trafficClass == StreamClass.snapshot, frame.streamBytes.count == 1 else {
        return
      }
      _ = memory.count("waiting")
    } when: { memory in
      memory.counts["waiting", default: 0] >= Int(memory.peerHello?.snapshotStreams ?? 0)
    },
    refusingElections("R-LIM-12", "refuses an election because others are served") { memory, frame in
      if isServed(frame) { _ = memory.count("served") }
    } when: { memory in
      memory.counts["served"] != nil
    },
    Mutant(requirement: "R-SCH-13", fault: "serves one append at a time, and none beside a snapshot") {
      memory, direction, frame in
      guard direction == .toPeer else { return nil }
      if isServed(frame) { _ = memory.count("served") }
      let isNew = frame.isOpening && frame.trafficClass == StreamClass.append
      return isNew && memory.counts["served"] != nil ? Mutant.Traffic() : nil
    },
    Mutant(requirement: "R-SCH-12", fault: "reads no control frames while a stream waits") {
      memory, direction, frame in
      guard direction == .toPeer else { return nil }
      if frame.isOpening, !frame.isLast, frame.streamBytes.count > 10 { _ = memory.count("waiting") }
      if frame.isLast { memory.counts["waiting"] = nil }
      return frame.type == FrameKind.ping && memory.counts["waiting"] != nil ? Mutant.Traffic() : nil
    },
    Mutant(
      requirement: "R-SCH-12", fault: "reads only while it can write",
      manners: .init(isTransparent: true, readsInTurns: true)),
    .deaf("R-SCH-4", "serves one class only") { $0.isOpening && $0.trafficClass == StreamClass.election },
  ]

  /// A snapshot whose request is whole and whose body is not.
  private static func isServed(_ frame: ProbeFrame) -> Bool {
    frame.isOpening && frame.trafficClass == StreamClass.snapshot && !frame.isLast
      && WireMap(frame.streamBytes) != nil
  }

  private static func refusingElections(
    _ requirement: String, _ fault: String,
    _ note: @escaping @Sendable (inout Mutant.Memory, ProbeFrame) -> Void,
    when isTooMuch: @escaping @Sendable (Mutant.Memory) -> Bool
  ) -> Mutant {
    Mutant(requirement: requirement, fault: fault) { memory, direction, frame in
      guard direction == .toPeer else { return nil }
      note(&memory, frame)
      guard frame.isOpening, frame.trafficClass == StreamClass.election, isTooMuch(memory) else {
        return nil
      }
      let code = CodeName.refused.rawValue
      return Mutant.toSuite(.reset(frame.stream, code), .stop(frame.stream, code))
    }
  }

  static let liveness: [Mutant] = [
    .says("R-LIV-1", "answers PING with other bytes") { _, frame in
      frame.type == FrameKind.pong ? [.pong((frame.number ?? 0) &+ 1)] : nil
    },
    .touchy("R-LIV-3", "does not bear a PONG that answers nothing") { _, frame in
      frame.type == FrameKind.pong && frame.number == 0xDEAD
    },
    Mutant(
      requirement: "R-LIV-5", fault: "waits for ever", manners: .init(keepsOpen: true)
    ) { _, direction, frame in
      direction == .toSuite && frame.type == FrameKind.goAway ? Mutant.Traffic() : nil
    },
    Mutant(requirement: "R-LIV-5", fault: "loses patience at its second PING") { memory, direction, frame in
      guard direction == .toSuite else { return nil }
      if frame.type == FrameKind.ping, memory.count("PING") == 2 { return Mutant.toPeer(Mutant.poison) }
      return frame.type == FrameKind.goAway
        ? Mutant.toSuite(frame.with { $0.setCode(CodeName.silent.rawValue) }) : nil
    },
    Mutant(requirement: "R-LIV-5", fault: "is patient for twice as long") { memory, direction, frame in
      guard direction == .toSuite, frame.type == FrameKind.ping, memory.count("PING") < 10 else { return nil }
      return Mutant.Traffic(toPeer: [.pong(frame.number ?? 0)], toSuite: [frame])
    },
    Mutant(
      requirement: "R-LIV-7", fault: "takes only whole frames for a sign of life",
      manners: .init(needsWholeFrames: true)),
  ]

  static let drain: [Mutant] = [
    .deaf("R-DRN-5", "does not listen to GOAWAY", as: .client) { $0.type == FrameKind.goAway },
    Mutant(requirement: "R-DRN-7", fault: "serves nothing behind GOAWAY") { memory, direction, frame in
      guard direction == .toPeer else { return nil }
      if frame.type == FrameKind.goAway { _ = memory.count("GOAWAY") }
      return frame.type == FrameKind.data && memory.counts["GOAWAY"] != nil ? Mutant.Traffic() : nil
    },
    Mutant(requirement: "R-DRN-9", fault: "takes a GOAWAY that takes its word back") {
      memory, direction, frame in
      guard direction == .toPeer, frame.type == FrameKind.goAway else { return nil }
      return memory.count("GOAWAY") > 1 ? Mutant.Traffic() : nil
    },
    .says("R-DRN-17", "ends without GOAWAY") { _, frame in frame.type == FrameKind.goAway ? [] : nil },
    Mutant(
      requirement: "R-DRN-18", fault: "does not half-close behind its GOAWAY", manners: .init(keepsOpen: true)
    ),
    Mutant(
      requirement: "R-DRN-19", fault: "does not mind the end of input",
      manners: .init(ignoresEndOfInput: true)),
    .deaf("R-DRN-24", "goes on when it is told of an error") {
      $0.type == FrameKind.goAway && $0.code != CodeName.shutdown.rawValue
    },
    .mishears("R-ERR-3", "takes an unknown code for a drain") { _, frame in
      frame.type == FrameKind.goAway && (frame.code ?? 0) > 0x4B ? .goAway(last: .max, 0x0C) : nil
    },
    Mutant(
      requirement: "R-ERR-9", fault: "hangs on noise",
      manners: .init(isDeafToNonsense: true, keepsOpen: true, ignoresEndOfInput: true)
    ) { _, direction, frame in
      direction == .toSuite && frame.type == FrameKind.goAway ? Mutant.Traffic() : nil
    },
  ]

  static let limits: [Mutant] = [
    .deaf("R-LIM-3", "bears any number of PONGs") { $0.type == FrameKind.pong },
    .touchy("R-LIM-4", "does not bear twenty PINGs") { memory, frame in
      frame.type == FrameKind.ping && memory.count("PING") > 20
    },
    .touchy("R-LIM-6", "takes DATA for tiny that ends at the window") { _, frame in
      frame.type == FrameKind.data && frame.streamBytes.count == 1 && frame.flags & DataFlag.more != 0
    },
  ]
}
