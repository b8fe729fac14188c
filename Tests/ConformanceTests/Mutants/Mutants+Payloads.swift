import ConformanceSuite

extension Mutants {
  static let payloads: [Mutant] = calls + readings + leniencies + writings

  private static let calls: [Mutant] = [
    .cannotRead("R-PAY-1", "TimeoutNow") { $0.first == 3 },
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
    Mutant(requirement: "R-PAY-6", fault: "waits for the end of a stream before it reads") {
      memory, direction, frame in
      guard direction == .toPeer, frame.type == FrameKind.data, frame.trafficClass <= StreamClass.append
      else {
        return nil
      }
      let bytes = memory.held[frame.stream, default: []] + frame.streamBytes
      memory.held[frame.stream] = bytes
      guard !frame.isLast else {
        return Mutant.toPeer(frame.isOpening ? frame : .data(frame.stream, bytes, fin: true))
      }
      return frame.isOpening
        ? Mutant.toPeer(frame.with { $0.payload = Array($0.payload.prefix(8)) }) : Mutant.Traffic()
    },
    .mishears("R-PAY-44", "takes requests of one type on a stream") { _, frame in
      // A RequestPreVote, with an AppendEntries of nine fields behind it.
      guard frame.isOpening, frame.streamBytes.first == 4,
        let place = frame.payload.indices.dropLast().first(where: {
          frame.payload[$0] == 0x00 && frame.payload[$0 + 1] == 0x89
        })
      else { return nil }
      return frame.with { $0.payload = Array($0.payload[..<place]) + [0x63] }
    },
    Mutant(requirement: "R-PAY-45", fault: "mixes its answers up") { memory, direction, frame in
      guard direction == .toSuite, frame.type == FrameKind.data else { return nil }
      memory.held[frame.stream, default: []] += frame.streamBytes
      guard frame.isLast else { return Mutant.Traffic() }
      let bytes = memory.held[frame.stream] ?? []
      guard let first = WireMap(bytes), !first.rest.isEmpty else {
        return Mutant.toSuite(.data(frame.stream, bytes, fin: true))
      }
      let mixed = first.rest + bytes.dropLast(first.rest.count)
      return Mutant.toSuite(.data(frame.stream, Array(mixed), fin: true))
    },
    .says("R-PAY-47", "does not end its half") { _, frame in
      frame.isLast ? [frame.with { $0.flags &= ~DataFlag.fin }] : nil
    },
    .says("R-PAY-50", "answers what it refuses") { _, frame in
      guard frame.type == FrameKind.reset, frame.code == CodeName.malformedMessage.rawValue else {
        return nil
      }
      return [.data(frame.stream, [0xA3] + Array("no!".utf8) + [0xC0]), frame]
    },
    .mishears("R-PAY-43", "reads on behind a fault") { _, frame in
      guard frame.isOpening, frame.streamBytes.first == 0x63 else { return nil }
      return frame.with { $0.payload.remove(at: 8) }
    },
  ]

  /// Forms that a reader has to take.
  private static let readings: [Mutant] = [
    .cannotRead("R-PAY-20", "a request without fields") { $0 == [0x01, 0x80] },
    .cannotRead("R-PAY-21", "a field that it does not know") { $0.starts(with: [0x01, 0x81, 0xA3, 0x46]) },
    .cannotRead("R-PAY-22", "nil") { $0 == [0x01, 0xC0] },
    .cannotRead("R-PAY-23", "an integer that is longer than need be") {
      $0.count > 7 && $0[1] == 0x81 && $0[7] == 0xCF
    },
    .cannotRead("R-PAY-24", "an array in the place of a map") { $0.starts(with: [0x01, 0x91]) },
    .cannotRead("R-PAY-25", "a key in the newer format") { $0.starts(with: [0x01, 0x81, 0xD9]) },
    .cannotRead("R-PAY-27", "a field that comes twice") { $0.starts(with: [0x01, 0x82]) },
    .cannotRead("R-PAY-30", "a boolean that is 1") { $0.starts(with: [0x01, 0x81, 0xB2]) && $0.last == 1 },
    .cannotRead("R-PAY-31", "bytes in a binary format") { $0.suffix(3) == [0xC4, 0x01, 0x61] },
    .cannotRead("R-PAY-36", "a key that is an array where it skips") {
      $0.starts(with: [0x01, 0x81, 0xA1, 0x78, 0x81])
    },
    .cannotRead("R-PAY-38", "a thousand levels") {
      $0.starts(with: [0x01, 0x81, 0xA1, 0x78, 0x91]) && $0.last == 0xC0
    },
    Mutant(requirement: "R-PAY-21", fault: "answers what it cannot read by an error") {
      memory, direction, frame in
      if direction == .toPeer, frame.isOpening, frame.streamBytes.starts(with: [0x01, 0x81, 0xA3, 0x46]) {
        memory.streams[frame.stream] = 1
      }
      guard direction == .toSuite, frame.type == FrameKind.data, memory.streams[frame.stream] != nil else {
        return nil
      }
      return Mutant.toSuite(.data(frame.stream, [0xA3] + Array("no!".utf8) + [0xC0], fin: true))
    },
  ]

  /// Forms that a reader has to refuse.
  private static let leniencies: [Mutant] = [
    .takes("R-PAY-2", "any request type") { ($0.first ?? 0) > 4 },
    .takes("R-PAY-22", "text for a request") { $0.starts(with: [0x01, 0xA3]) },
    .takes("R-PAY-25", "an empty key") { $0.starts(with: [0x01, 0x81, 0xA0]) },
    .takes("R-PAY-28", "a negative term") { $0.count == 8 && $0.first == 1 && $0.last == 0xFF },
    .takes("R-PAY-29", "a term that is a float") { $0.count > 7 && $0[7] == 0xCB },
    .takes("R-PAY-30", "a boolean that is 2") { $0.starts(with: [0x01, 0x81, 0xB2]) && $0.last == 2 },
    .takes("R-PAY-32", "text for entries") { $0.first == 0 && $0.suffix(4) == [0xA3, 0x61, 0x62, 0x63] },
    .takes("R-PAY-33", "the byte c1") { $0 == [0x01, 0xC1] },
    .takes("R-PAY-37", "a time of 5 bytes") { $0.starts(with: [0x01, 0x81, 0xA1, 0x78, 0xC7]) },
    .takes("R-PAY-38", "any number of levels") {
      $0.starts(with: [0x01, 0x81, 0xA1, 0x78, 0x91]) && $0.last == 0x91
    },
    .takes("R-PAY-39", "an array of any size") { $0.suffix(4) == [0xFF, 0xFF, 0xFF, 0xFF] },
  ]

  /// Messages that every reader takes and no writer may write.
  private static let writings: [Mutant] = [
    .writes("R-PAY-7", "leaves a field out", as: .client) { _, map in map["LeaderCommitIndex"] = nil },
    .writes("R-PAY-7", "has an order of its own") { _, map in map.fields.reverse() },
    .writes("R-PAY-8", "names itself by halves") { _, map in map["Addr"] = nil },
    .writes("R-PAY-9", "writes nil for false and true") { _, map in map["Success"] = [0xC0] },
    .writes("R-PAY-10", "writes long headers of bytes") { _, map in
      map["ID"] = map["ID"].map { [0xDA, 0, UInt8($0.count - 1)] + $0.dropFirst() }
    },
    .writes("R-PAY-11", "writes long headers of arrays", as: .client) { _, map in
      map["Entries"] = map["Entries"].map { [0xDC, 0, $0[0] & 0x0F] + $0.dropFirst() }
    },
    .writes("R-PAY-12", "writes all integers in 8 bytes") { _, map in
      map["Term"] = [0xCF, 0, 0, 0, 0, 0, 0, 0, 1]
    },
    .writes("R-PAY-13", "writes small signed integers in 2 bytes") { _, map in
      map["ProtocolVersion"] = [0xD0, 3]
    },
    .writes("R-PAY-14", "writes booleans as numbers") { _, map in map["Success"] = [0x01] },
    .writes("R-PAY-15", "writes more nanoseconds than there are", as: .client) { _, map in
      // A raw string of 15 bytes: version, seconds, nanoseconds, offset.
      map.changeTime { $0[10] |= 0x40 }
    },
    .writes("R-PAY-17", "writes the longest compact time for every time", as: .client) { _, map in
      map.changeTime { $0 = [0xAC, 0, 0, 0, 0, 0, 0, 0, 0, 0x65, 0, 0, 0] }
    },
    .writes("R-PAY-18", "names itself now and then") { memory, map in
      if memory.count("answers") % 2 == 0 { (map["ID"], map["Addr"]) = (nil, nil) }
    },
  ]
}

extension WireMap {
  /// Changes the time of the first entry, its header included.
  fileprivate mutating func changeTime(_ change: (inout [UInt8]) -> Void) {
    let key = [0xAA] + Array("AppendedAt".utf8)
    guard let entries = self["Entries"],
      let place = entries.indices.first(where: { entries[$0...].starts(with: key) })
    else { return }
    let start = place + key.count
    guard start + 16 <= entries.count, entries[start] == 0xAF else { return }
    var time = Array(entries[start..<start + 16])
    change(&time)
    self["Entries"] = Array(entries[..<start]) + time + entries[(start + 16)...]
  }
}

extension Mutant {
  /// A peer that cannot read requests of one form.
  fileprivate static func cannotRead(
    _ requirement: String, _ what: String, _ isForm: @escaping @Sendable ([UInt8]) -> Bool
  ) -> Mutant {
    mishears(requirement, "cannot read \(what)") { _, frame in
      guard frame.isOpening, isForm(Array(frame.streamBytes)) else { return nil }
      return frame.with { $0.payload = Array($0.payload.prefix(8)) + [0x63] }
    }
  }

  /// A peer that answers requests of one form which it has to refuse, as if they were RequestVotes without fields.
  fileprivate static func takes(
    _ requirement: String, _ what: String, _ isForm: @escaping @Sendable ([UInt8]) -> Bool
  ) -> Mutant {
    mishears(requirement, "takes \(what)") { _, frame in
      guard frame.isOpening, frame.encoding == 0, isForm(Array(frame.streamBytes)) else { return nil }
      return frame.with {
        $0.payload = Array($0.payload.prefix(8)) + [0x01, 0x80]
        $0.flags |= DataFlag.fin
      }
    }
  }
}
