internal import RaftWire

/// Says what the bytes of a connection mean, frame by frame.
package struct CaptureDecoder: Sendable {
  private struct Side: Sendable {
    var reader = FrameReader()
    var consumed = 0
    var hello: ProbeHello?
    var opened: Set<UInt64> = []
    var halves: [UInt64: MessageStream] = [:]
    var hasAccepted = false
    var isBroken = false
    /// The capture begins behind the preface: where frames begin was found out.
    var boundary: FrameBoundary?
  }

  private var sides: [CaptureFormat.Direction: Side] = [.first: Side(), .second: Side()]
  /// The kinds of the requests of each stream, in their order.
  private var requests: [UInt64: [RPCType]] = [:]
  /// The requests are those of an earlier look at the same bytes.
  private var keepsRequests = false
  /// `nil`: only one HELLO is known, and the bytes have to tell.
  private var agreedChecksums: Bool?

  private init(_ boundaries: [CaptureFormat.Direction: FrameBoundary]) {
    for (direction, boundary) in boundaries {
      sides[direction]?.boundary = boundary
      sides[direction]?.reader = FrameReader(expectsPreface: false)
      sides[direction]?.reader.isChecksummed = boundary.isChecksummed
    }
  }

  /// Decodes all runs. What an answer belongs to is known where the other direction is there, too, whatever the order of
  /// the runs is. Bytes of the classic protocol are told by their first ones, and bytes of RMUX that begin inside a
  /// connection by the frames that follow each other in them.
  ///
  /// - Parameter take: Gets the entries one after the other, so that they need not be kept: many times as large as the
  ///   capture.
  package static func decode(_ runs: [CaptureFormat.Run], _ take: (CaptureEntry) throws -> Void) rethrows {
    let runs = runs.flatMap(\.pieces)
    if let classic = ClassicCapture(runs) { return try classic.decode(take) }
    var boundaries: [CaptureFormat.Direction: FrameBoundary] = [:]
    var trimmed = runs
    for direction in [CaptureFormat.Direction.first, .second] {
      let all = runs.filter { $0.direction == direction }.flatMap(\.bytes)
      guard !all.isEmpty, !beginsWithPreface(all), let found = FrameBoundary.find(in: all) else { continue }
      boundaries[direction] = found
      trimmed = dropping(found.offset, of: direction, trimmed)
    }
    var scout = CaptureDecoder(boundaries)
    for run in trimmed { _ = scout.decode(run) }
    var decoder = CaptureDecoder(boundaries)
    decoder.requests = scout.requests
    decoder.keepsRequests = true
    let features = scout.sides.values.compactMap { $0.hello?.features }
    decoder.agreedChecksums = features.count == 2 ? features.allSatisfy { $0 & ProbeHello.crc32 != 0 } : nil
    let beginnings = [CaptureFormat.Direction.first, .second].compactMap { direction in
      boundaries[direction].map { $0.entry(direction) }
    }
    for entry in beginnings { try take(entry) }
    for run in trimmed {
      for entry in decoder.decode(run) { try take(entry) }
    }
    for entry in decoder.leftovers() { try take(entry) }
  }

  /// All entries at once.
  package static func entries(of runs: [CaptureFormat.Run]) -> [CaptureEntry] {
    var entries: [CaptureEntry] = []
    decode(runs) { entries.append($0) }
    return entries
  }

  /// Whether the bytes are the preface or its beginning.
  private static func beginsWithPreface(_ bytes: [UInt8]) -> Bool {
    bytes.prefix(FrameReader.preface.count).elementsEqual(FrameReader.preface.prefix(bytes.count))
  }

  private static func dropping(
    _ count: Int, of direction: CaptureFormat.Direction, _ runs: [CaptureFormat.Run]
  ) -> [CaptureFormat.Run] {
    var left = count
    return runs.map { run in
      guard run.direction == direction, left > 0 else { return run }
      let dropped = min(left, run.bytes.count)
      left -= dropped
      return CaptureFormat.Run(direction: direction, bytes: Array(run.bytes.dropFirst(dropped)))
    }
  }

  private mutating func decode(_ run: CaptureFormat.Run) -> [CaptureEntry] {
    guard var side = sides[run.direction], !side.isBroken else { return [] }
    side.reader.append(run.bytes)
    var entries: [CaptureEntry] = []
    let total = side.consumed + side.reader.pendingBytes
    while true {
      let offset = total - side.reader.pendingBytes + (side.boundary?.offset ?? 0)
      if side.hasAccepted, side.boundary == nil { decideOnChecksums(&side) }
      guard let item = side.reader.next() else { break }
      entries.append(entry(item, &side, run.direction, offset: offset))
    }
    side.consumed = total - side.reader.pendingBytes
    sides[run.direction] = side
    return entries
  }

  private func decideOnChecksums(_ side: inout Side) {
    if let agreedChecksums {
      side.reader.isChecksummed = agreedChecksums
    } else if !side.reader.isChecksummed, (side.hello?.features ?? 0) & ProbeHello.crc32 != 0 {
      side.reader.isChecksummed = side.reader.nextFrameHasChecksum
    }
  }

  private mutating func entry(
    _ item: FrameReader.Item, _ side: inout Side, _ direction: CaptureFormat.Direction, offset: Int
  ) -> CaptureEntry {
    switch item {
    case .preface:
      return CaptureEntry(direction, offset: offset, frame: "preface", text: "preface")
    case .nonsense(let text):
      side.isBroken = true
      return CaptureEntry(direction, offset: offset, frame: "none", text: printable(text), isFault: true)
    case .frame(let frame, let checksum):
      var entry = CaptureEntry(direction, offset: offset, frame, checksum: checksum)
      note(frame, &side, &entry)
      return entry
    }
  }

  private mutating func note(_ frame: ProbeFrame, _ side: inout Side, _ entry: inout CaptureEntry) {
    switch frame.type {
    case FrameKind.hello:
      side.hello = ProbeHello(decoding: frame.payload)
      entry.hello = side.hello.map(CaptureEntry.Hello.init)
      entry.text = side.hello.map { "HELLO \($0.summary)" } ?? "HELLO that ends inside a field"
      entry.isFault = entry.isFault || side.hello?.fault != nil || side.hello == nil
    case FrameKind.welcome: side.hasAccepted = side.hasAccepted || frame.code == 0
    case FrameKind.data:
      if frame.isOpening { side.opened.insert(frame.stream) }
      entry.messages = messages(in: frame, &side)
      entry.isFault = entry.isFault || entry.messages.contains { $0.kind == .unreadable }
    default: break
    }
  }

  private mutating func messages(in frame: ProbeFrame, _ side: inout Side) -> [CapturedMessage] {
    let id = frame.stream
    let isOwn = side.opened.contains(id)
    if side.boundary != nil, !isOwn, requests[id] == nil, !frame.streamBytes.isEmpty {
      // Without the beginning of a stream nobody knows where its messages begin.
      return [CapturedMessage(kind: .unknown, text: "of a stream whose beginning is not in the capture")]
    }
    var half = side.halves[id] ?? MessageStream()
    if frame.isOpening { half.isChunked = frame.encoding == 1 }
    half.append(frame.streamBytes)
    let messages = isOwn ? half.requests() : half.answers(to: requests[id] ?? [])
    if isOwn, !keepsRequests { requests[id] = half.kinds }
    side.halves[id] = frame.isLast ? nil : half
    return messages
  }

  /// What was cut off at the end.
  private func leftovers() -> [CaptureEntry] {
    [CaptureFormat.Direction.first, .second].compactMap { direction in
      guard let side = sides[direction], side.reader.pendingBytes > 0, !side.isBroken else { return nil }
      return CaptureEntry(
        direction, offset: side.consumed + (side.boundary?.offset ?? 0), frame: "none",
        text: "\(side.reader.pendingBytes) bytes of a frame that goes on")
    }
  }
}

extension ProbeHello {
  /// The HELLO in a line.
  package var summary: String {
    let target = targetServerID.isEmpty ? "" : " to \(shown(targetServerID))"
    let least = minimumVersion == maximumVersion ? "" : "\(minimumVersion)-"
    return
      "\(shown(serverID))\(target) of cluster \(shown(clusterID)) at \(shown(address)), version \(least)\(maximumVersion), "
      + "features 0x\(String(features, radix: 16)), methods 0x\(String(methods, radix: 16)), "
      + "frames \(maximumFramePayload), window \(initialWindow), streams \(electionStreams)/\(appendStreams)/\(snapshotStreams)"
      + (fault.map { ", wrong: \($0)" } ?? "")
  }

  private func shown(_ bytes: [UInt8]) -> String { "'\(printable(String(decoding: bytes, as: UTF8.self)))'" }
}
