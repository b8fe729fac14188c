internal import NIOCore
internal import RaftWire

/// Says what the bytes of a connection mean, frame by frame.
package struct CaptureDecoder: Sendable {
  /// One frame, or what is none.
  package struct Entry: Sendable, Equatable, Codable {
    package var direction: CaptureFormat.Direction
    /// Bytes of the direction in front of it.
    package var offset: Int
    package var frame: String
    package var stream: UInt64?
    /// The frame in a line.
    package var text: String
    /// The messages that end in it, each in a line.
    package var messages: [String]
    /// Whether it is a fault of the bytes.
    package var isFault: Bool

    package var line: String {
      ([direction.rawValue, text].joined(separator: " ")) + messages.map { "\n    \($0)" }.joined()
    }
  }

  private struct Half: Sendable {
    var assembler = MessageAssembler()
    var isChunked = false
    var bodyLeft: Int64 = 0
    var isInChunks = false
    var answered = 0
    var isBroken = false
  }

  private struct Side: Sendable {
    var reader = FrameReader()
    var consumed = 0
    var hello: ProbeHello?
    var opened: Set<UInt64> = []
    var halves: [UInt64: Half] = [:]
    var hasAccepted = false
    var isBroken = false
  }

  private var sides: [CaptureFormat.Direction: Side] = [.first: Side(), .second: Side()]
  /// The kinds of the requests of each stream, in their order.
  private var requests: [UInt64: [RPCType]] = [:]

  private init() {}

  /// Decodes all runs. What an answer belongs to is known where the other direction is there, too, whatever the order of
  /// the runs is.
  package static func entries(of runs: [CaptureFormat.Run]) -> [Entry] {
    var scout = CaptureDecoder()
    for run in runs { _ = scout.decode(run) }
    var decoder = CaptureDecoder()
    decoder.requests = scout.requests
    decoder.keepsRequests = true
    let features = scout.sides.values.compactMap { $0.hello?.features }
    decoder.agreedChecksums = features.count == 2 ? features.allSatisfy { $0 & ProbeHello.crc32 != 0 } : nil
    return runs.flatMap { decoder.decode($0) } + decoder.leftovers()
  }

  /// The requests are those of an earlier look at the same bytes.
  private var keepsRequests = false
  /// `nil`: only one HELLO is known, and the bytes have to tell.
  private var agreedChecksums: Bool?

  private mutating func decode(_ run: CaptureFormat.Run) -> [Entry] {
    guard var side = sides[run.direction], !side.isBroken else { return [] }
    side.reader.append(run.bytes)
    var entries: [Entry] = []
    let total = side.consumed + side.reader.pendingBytes
    while true {
      let offset = total - side.reader.pendingBytes
      if side.hasAccepted { decideOnChecksums(&side) }
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
  ) -> Entry {
    var entry = Entry(
      direction: direction, offset: offset, frame: "", stream: nil, text: "", messages: [], isFault: false)
    switch item {
    case .preface:
      (entry.frame, entry.text) = ("preface", "preface")
    case .nonsense(let text):
      side.isBroken = true
      (entry.frame, entry.text, entry.isFault) = ("none", printable(text), true)
    case .frame(let frame, let checksum):
      entry.frame = FrameKind.name(frame.type)
      entry.stream = frame.stream == 0 ? nil : frame.stream
      entry.text = "\(frame)"
      if checksum == false {
        entry.text += ", wrong checksum"
        entry.isFault = true
      }
      note(frame, &side, &entry)
    }
    return entry
  }

  private mutating func note(_ frame: ProbeFrame, _ side: inout Side, _ entry: inout Entry) {
    switch frame.type {
    case FrameKind.hello:
      side.hello = ProbeHello(decoding: frame.payload)
      entry.text = side.hello.map { "HELLO \($0.summary)" } ?? "HELLO that ends inside a field"
      entry.isFault = entry.isFault || side.hello?.fault != nil || side.hello == nil
    case FrameKind.welcome: side.hasAccepted = side.hasAccepted || frame.code == 0
    case FrameKind.data:
      if frame.isOpening { side.opened.insert(frame.stream) }
      entry.messages = messages(in: frame, &side)
    default: break
    }
  }

  private mutating func messages(in frame: ProbeFrame, _ side: inout Side) -> [String] {
    var half = side.halves[frame.stream] ?? Half()
    if frame.isOpening { half.isChunked = frame.encoding == 1 }
    half.assembler.append(ByteBuffer(bytes: frame.streamBytes))
    var lines: [String] = []
    do {
      if side.opened.contains(frame.stream) {
        while let line = try nextRequest(&half, frame.stream) { lines.append(line) }
      } else {
        while let line = try nextAnswer(&half, frame.stream) { lines.append(line) }
      }
    } catch {
      if !half.isBroken { lines.append("cannot be read: \(printable("\(error)"))") }
      half.isBroken = true
    }
    side.halves[frame.stream] = frame.isLast ? nil : half
    return lines
  }

  private mutating func nextRequest(_ half: inout Half, _ stream: UInt64) throws -> String? {
    if half.isInChunks {
      var count = 0
      while let bytes = half.assembler.nextRawBytes(atMost: 1 << 20) { count += bytes.readableBytes }
      return count > 0 ? "\(count) bytes of chunks" : nil
    }
    if half.bodyLeft > 0 {
      var count: Int64 = 0
      while half.bodyLeft > 0, let bytes = half.assembler.nextRawBytes(atMost: Int(clamping: half.bodyLeft)) {
        count += Int64(bytes.readableBytes)
        half.bodyLeft -= Int64(bytes.readableBytes)
      }
      return count > 0 ? "\(count) bytes of a body, \(half.bodyLeft) to come" : nil
    }
    guard let command = try half.assembler.nextCommand() else { return nil }
    if case .installSnapshot(let request) = command {
      half.isInChunks = half.isChunked
      half.bodyLeft = half.isChunked ? 0 : max(0, request.size)
    }
    if !keepsRequests { requests[stream, default: []].append(command.rpcType) }
    return command.summary
  }

  private func nextAnswer(_ half: inout Half, _ stream: UInt64) throws -> String? {
    guard let kinds = requests[stream], half.answered < kinds.count else { return nil }
    let text: String?
    switch kinds[half.answered] {
    case .appendEntries:
      text = try half.assembler.nextAnswer(AppendEntriesResponse.self).map { answer in
        answer.summary { "term \($0.term) last \($0.lastLog) success \($0.success)" }
      }
    case .requestVote:
      text = try half.assembler.nextAnswer(RequestVoteResponse.self).map { answer in
        answer.summary { "term \($0.term) granted \($0.granted)" }
      }
    case .requestPreVote:
      text = try half.assembler.nextAnswer(RequestPreVoteResponse.self).map { answer in
        answer.summary { "term \($0.term) granted \($0.granted)" }
      }
    case .installSnapshot:
      text = try half.assembler.nextAnswer(InstallSnapshotResponse.self).map { answer in
        answer.summary { "term \($0.term) success \($0.success)" }
      }
    case .timeoutNow:
      text = try half.assembler.nextAnswer(TimeoutNowResponse.self).map { answer in answer.summary { _ in "" }
      }
    }
    guard let text else { return nil }
    defer { half.answered += 1 }
    return "answer to \(kinds[half.answered]): \(text)"
  }

  /// What was cut off at the end.
  private func leftovers() -> [Entry] {
    [CaptureFormat.Direction.first, .second].compactMap { direction in
      guard let side = sides[direction], side.reader.pendingBytes > 0, !side.isBroken else { return nil }
      return Entry(
        direction: direction, offset: side.consumed, frame: "none", stream: nil,
        text: "\(side.reader.pendingBytes) bytes of a frame that goes on", messages: [], isFault: false)
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

extension WireCommand {
  /// The request in a line.
  fileprivate var summary: String {
    switch self {
    case .appendEntries(let request):
      let entries = request.entries ?? []
      if entries.isEmpty, request.previousLogIndex == 0, request.previousLogTerm == 0,
        request.leaderCommitIndex == 0
      {
        return "AppendEntries term \(request.term), heartbeat"
      }
      let bytes = entries.reduce(0) { $0 + ($1?.data?.readableBytes ?? 0) }
      return
        "AppendEntries term \(request.term) after \(request.previousLogIndex)/\(request.previousLogTerm): "
        + "\(entries.count) entries, \(bytes) bytes, commit \(request.leaderCommitIndex)"
    case .requestVote(let request):
      return "RequestVote term \(request.term) last \(request.lastLogIndex)/\(request.lastLogTerm)"
        + (request.leadershipTransfer ? ", leadership transfer" : "")
    case .requestPreVote(let request):
      return "RequestPreVote term \(request.term) last \(request.lastLogIndex)/\(request.lastLogTerm)"
    case .installSnapshot(let request):
      return
        "InstallSnapshot term \(request.term) last \(request.lastLogIndex)/\(request.lastLogTerm), \(request.size) bytes"
    case .timeoutNow: return "TimeoutNow"
    }
  }
}

extension WireAnswer {
  fileprivate func summary(_ describe: (Response) -> String) -> String {
    var error = self.error ?? ByteBuffer()
    let text = printable(String(decoding: error.readBytes(length: error.readableBytes) ?? [], as: UTF8.self))
    let parts = [text.isEmpty ? nil : "error “\(text)”", response.map(describe) ?? "nothing"].compactMap {
      $0
    }
    return parts.filter { !$0.isEmpty }.joined(separator: ", ")
  }
}
