internal import NIOCore
internal import RaftWire

/// Plays the server for one stream of a client under test: reads its requests and agrees with everything.
struct Responder: Sendable {
  private var assembler = MessageAssembler()
  private let window: UInt64
  private let encoding: UInt8
  private var received: UInt64 = 0
  private var granted: UInt64
  private var bodyBytes: Int64?
  private var hasEnded = false
  private var isBroken = false
  private var pendingSnapshot: InstallSnapshotRequest?
  private(set) var isDone = false

  init(window: UInt64, encoding: UInt8) {
    self.window = window
    self.encoding = encoding
    granted = window
  }

  /// The limit to announce now, if any.
  var dueCredit: UInt64? {
    mutating get {
      guard !hasEnded, granted < received + window - window / 4 else { return nil }
      granted = received + window
      return granted
    }
  }

  mutating func receive(_ frame: ProbeFrame) -> (requests: [WireCommand], bytes: [UInt8]) {
    received += UInt64(frame.streamBytes.count)
    hasEnded = hasEnded || frame.isLast
    assembler.append(ByteBuffer(bytes: frame.streamBytes))
    var requests: [WireCommand] = []
    var answers = ByteBuffer()
    while !isBroken {
      if pendingSnapshot != nil {
        guard takeBody() else { break }
        if let snapshot = pendingSnapshot { answer(.installSnapshot(snapshot), into: &answers) }
        pendingSnapshot = nil
        continue
      }
      do {
        guard let command = try assembler.nextCommand() else { break }
        requests.append(command)
        if case .installSnapshot(let request) = command {
          pendingSnapshot = request
          bodyBytes = encoding == 0 ? max(0, request.size) : nil
        } else {
          answer(command, into: &answers)
        }
      } catch {
        isBroken = true
      }
    }
    isDone = hasEnded && pendingSnapshot == nil
    return (requests, Array(answers.readableBytesView))
  }

  /// Drops what came of the body. True once it is complete.
  private mutating func takeBody() -> Bool {
    if let left = bodyBytes {
      var rest = left
      while rest > 0, let bytes = assembler.nextRawBytes(atMost: Int(clamping: rest)) {
        rest -= Int64(bytes.readableBytes)
      }
      bodyBytes = rest
      return rest == 0
    }
    while assembler.nextRawBytes(atMost: 1 << 20) != nil {}
    return hasEnded
  }

  private func answer(_ command: WireCommand, into bytes: inout ByteBuffer) {
    let encoder = WireEncoder()
    do {
      switch command {
      case .appendEntries(let request):
        let last = request.previousLogIndex &+ UInt64(request.entries?.count ?? 0)
        try encoder.encode(
          answer: WireAnswer(
            response: AppendEntriesResponse(
              header: request.header, term: request.term, lastLog: last, success: true)),
          into: &bytes)
      case .requestVote(let request):
        try encoder.encode(
          answer: WireAnswer(
            response: RequestVoteResponse(header: request.header, term: request.term, granted: true)),
          into: &bytes)
      case .requestPreVote(let request):
        try encoder.encode(
          answer: WireAnswer(
            response: RequestPreVoteResponse(header: request.header, term: request.term, granted: true)),
          into: &bytes)
      case .timeoutNow(let request):
        try encoder.encode(
          answer: WireAnswer(response: TimeoutNowResponse(header: request.header)), into: &bytes)
      case .installSnapshot(let request):
        try encoder.encode(
          answer: WireAnswer(
            response: InstallSnapshotResponse(header: request.header, term: request.term, success: true)),
          into: &bytes)
      }
    } catch {
      preconditionFailure("answers of short fields have an encoding: \(error)")
    }
  }
}
