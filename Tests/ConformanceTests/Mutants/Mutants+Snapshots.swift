import ConformanceSuite

extension Mutants {
  static let snapshots: [Mutant] =
    [
      .deaf("R-SNAP-2", "loses frames of a single byte of a snapshot") {
        $0.type == FrameKind.data && $0.streamBytes.count == 1 && !$0.isOpening
      },
      .touchy("R-SNAP-14", "ends the connection for a fault in a chunk") { _, frame in
        frame.isOpening && frame.encoding == 1 && !frame.isLast
      },
      .mishears("R-SNAP-20", "takes no chunks") { _, frame in
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
    ] + faults + clientSnapshots

  /// Faults in chunks that a server does not find.
  private static let faults: [Mutant] = [
    .misses("R-SNAP-3", "an unknown method") { $0.method == 3 },
    .misses("R-SNAP-4", "a chunk of nothing, or of too much") { $0.raw == 0 || $0.raw == 262_145 },
    .misses("R-SNAP-5", "lengths that contradict each other") { $0.method == 0 && $0.raw != $0.encoded },
    .misses("R-SNAP-6", "more bytes than were said") {
      $0.isStored && $0.raw > $0.size && $0.bytes.count > 9
    },
    .misses("R-SNAP-7", "a wrong Adler-32") { $0.method == 1 && $0.encoded == 0x46 && $0.bytes[78] == 0xAE },
    .misses("R-SNAP-8", "what stands behind a zlib stream") { $0.method == 1 && $0.encoded == 0x47 },
    .misses("R-SNAP-9", "a zlib stream that is too long or too short") {
      $0.method == 1 && $0.encoded == 0x46 && $0.raw != 300
    },
    .misses("R-SNAP-10", "a wrong total") { $0.isStored && $0.bytes.count == 29 && $0.bytes.last != 3 },
    .misses("R-SNAP-11", "bytes behind the end") { $0.isStored && $0.bytes.count == 30 },
    .misses("R-SNAP-13", "a wrong header before the chunk is there") {
      $0.isStored && $0.raw > $0.size && $0.bytes.count == 9
    },
  ]

  /// What a client does wrong with the snapshots that it sends.
  private static let clientSnapshots: [Mutant] = [
    .says("R-SNAP-1", "never ends a body in chunks", as: .client) { memory, frame in
      if frame.isOpening, frame.encoding == 1 { memory.streams[frame.stream] = 1 }
      return frame.isLast && memory.streams[frame.stream] != nil
        ? [frame.with { $0.flags &= ~DataFlag.fin }] : nil
    },
    .sendsChunks("R-SNAP-3", "invents a method") { $0[0] = 3 },
    .sendsChunks("R-SNAP-4", "sends a chunk of nothing") { $0 = [0, 0, 0, 0, 0, 0, 0, 0, 0] + $0 },
    .sendsChunks("R-SNAP-5", "contradicts itself about a chunk's length") { $0[8] &-= 1 },
    .sendsChunks("R-SNAP-6", "sends more than it said") { ($0[4], $0[8]) = ($0[4] &+ 1, $0[8] &+ 1) },
    .sendsChunks("R-SNAP-7", "calls plain bytes compressed") { ($0[0], $0[8]) = (1, $0[8] &- 1) },
    .sendsEnd("R-SNAP-10", "counts wrong") { $0[$0.count - 1] &-= 1 },
    .sendsEnd("R-SNAP-11", "leaves the end record out") { $0 = [] },
    .sendsEnd("R-SNAP-11", "goes on behind the end record") { $0.append(0) },
    .plain("R-SNAP-15", "sends a byte too many") { _, frame in
      frame.isLast ? frame.with { $0.payload.append(0x63) } : frame
    },
    .plain("R-SNAP-16", "ends a body early") { memory, frame in
      guard memory.held[frame.stream] == nil else { return nil }
      memory.held[frame.stream] = []
      return frame.with {
        $0.flags = $0.flags & ~DataFlag.more | DataFlag.fin
        // All of it may be in one frame.
        $0.payload.removeLast(min(1, $0.payload.count))
      }
    },
  ]
}

/// The beginning of a body in chunks.
private struct ChunkedBody {
  let size: Int
  let bytes: [UInt8]

  init?(_ frame: ProbeFrame) {
    guard frame.isOpening, frame.encoding == 1, let request = WireMap(frame.streamBytes),
      let value = request["Size"], request.rest.count >= 9
    else { return nil }
    size = value.count == 1 ? Int(value[0]) : value.dropFirst().reduce(0) { $0 << 8 | Int($1) }
    bytes = request.rest
  }

  var method: UInt8 { bytes[0] }
  var raw: Int { bytes[1..<5].reduce(0) { $0 << 8 | Int($1) } }
  var encoded: Int { bytes[5..<9].reduce(0) { $0 << 8 | Int($1) } }
  var isStored: Bool { method == 0 && raw == encoded && (1...262_144).contains(raw) }
}

extension Mutant {
  /// A server that says nothing of a fault in a body: it waits for more.
  fileprivate static func misses(
    _ requirement: String, _ what: String, _ isFaulty: @escaping @Sendable (ChunkedBody) -> Bool
  ) -> Mutant {
    mishears(requirement, "does not find \(what)") { _, frame in
      guard let body = ChunkedBody(frame), isFaulty(body) else { return nil }
      return frame.with { $0.payload.removeLast(body.bytes.count) }
    }
  }

  /// A client that changes the header of the one chunk that it sends.
  fileprivate static func sendsChunks(
    _ requirement: String, _ fault: String, _ change: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Mutant {
    replaces(requirement, fault, [0] + .size + .size, change)
  }

  /// A client that changes its end records.
  fileprivate static func sendsEnd(
    _ requirement: String, _ fault: String, _ change: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Mutant {
    replaces(requirement, fault, [2, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0] + .size, change)
  }

  private static func replaces(
    _ requirement: String, _ fault: String, _ record: [UInt8],
    _ change: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Mutant {
    says(requirement, fault, as: .client) { _, frame in
      guard frame.type == FrameKind.data,
        let place = frame.payload.indices.first(where: { frame.payload[$0...].starts(with: record) })
      else { return nil }
      var changed = record
      change(&changed)
      return [frame.with { $0.payload.replaceSubrange(place..<place + record.count, with: changed) }]
    }
  }

  /// A client that sends snapshots without chunks, and not as it should.
  fileprivate static func plain(
    _ requirement: String, _ fault: String,
    _ change: @escaping @Sendable (inout Memory, ProbeFrame) -> ProbeFrame?
  ) -> Mutant {
    var mutant = says(requirement, fault, as: .client) { memory, frame in
      if frame.isOpening, frame.trafficClass == StreamClass.snapshot { memory.streams[frame.stream] = 1 }
      guard frame.type == FrameKind.data, memory.streams[frame.stream] != nil else { return nil }
      return change(&memory, frame).map { [$0] } ?? []
    }
    mutant.sendsPlainSnapshots = true
    return mutant
  }
}

extension [UInt8] {
  /// The size of the snapshots of clients under test, as a chunk says it.
  fileprivate static let size = [UInt8].bigEndian(UInt32(PeersUnderTest.snapshotBytes))
}
