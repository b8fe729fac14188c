internal import NIOCore
internal import RaftWire

/// Plays the server for one stream of a peer under test: reads its requests, judges how they are written, and agrees
/// with everything.
struct Responder: Sendable {
  /// What a stream has been found to break.
  struct Finding: Sendable {
    let requirement: String
    let text: String
  }

  /// What follows the requests that were read.
  private enum Body: Sendable {
    case none
    case plain(InstallSnapshotRequest, left: Int64)
    case chunked(InstallSnapshotRequest, ChunkAuditor)
  }

  /// A snapshot that came whole.
  struct Snapshot: Sendable {
    let size: Int64
    let isChunked: Bool
  }

  struct Outcome: Sendable {
    var requests: [WireCommand] = []
    var snapshots: [Snapshot] = []
    /// Answers, for the peer.
    var bytes: [UInt8] = []
    var finding: Finding?
  }

  private var assembler = MessageAssembler()
  /// What came and belongs to no message that was read.
  private var unread = ByteBuffer()
  private let window: UInt64
  private let isChunked: Bool
  private var received: UInt64 = 0
  private var granted: UInt64
  private var body = Body.none
  private var requestCount = 0
  private var hasEnded = false
  private var isBroken = false
  private(set) var isDone = false

  init(window: UInt64, encoding: UInt8) {
    self.window = window
    isChunked = encoding == 1
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

  mutating func receive(_ frame: ProbeFrame, _ profiles: inout WriterProfiles) -> Outcome {
    var outcome = Outcome()
    received += UInt64(frame.streamBytes.count)
    hasEnded = hasEnded || frame.isLast
    let bytes = ByteBuffer(bytes: frame.streamBytes)
    // Nothing is read as messages any more once chunks have begun.
    if case .chunked = body {} else { assembler.append(bytes) }
    unread.writeImmutableBuffer(bytes)
    var answers = ByteBuffer()
    do {
      while !isBroken, try takeNext(&outcome, &answers, &profiles) {}
      if hasEnded, !isBroken { try checkEnd() }
    } catch {
      isBroken = true
      outcome.finding = error
    }
    isDone = hasEnded
    outcome.bytes = Array(answers.readableBytesView)
    return outcome
  }

  /// A body or a request. False until more has come.
  private mutating func takeNext(
    _ outcome: inout Outcome, _ answers: inout ByteBuffer, _ profiles: inout WriterProfiles
  ) throws(Finding) -> Bool {
    switch body {
    case .plain(let request, let left):
      let taken = min(left, Int64(unread.readableBytes))
      var rest = taken
      while rest > 0, let bytes = assembler.nextRawBytes(atMost: Int(rest)) {
        rest -= Int64(bytes.readableBytes)
      }
      unread.moveReaderIndex(forwardBy: Int(taken))
      if unread.readableBytes == 0 { unread.clear() }
      body = .plain(request, left: left - taken)
      guard left == taken else { return false }
      finish(request, &outcome, &answers)
      return true
    case .chunked(let request, var chunks):
      do throws(ChunkAuditor.Fault) { try chunks.take(unread.readableBytesView) } catch {
        throw Finding(requirement: error.requirement, text: error.text)
      }
      unread.clear()
      body = .chunked(request, chunks)
      if chunks.isComplete, hasEnded { finish(request, &outcome, &answers) }
      // Nothing but FIN may follow.
      return false
    case .none:
      return try takeRequest(&outcome, &answers, &profiles)
    }
  }

  private mutating func finish(
    _ request: InstallSnapshotRequest, _ outcome: inout Outcome, _ answers: inout ByteBuffer
  ) {
    body = .none
    outcome.snapshots.append(Snapshot(size: max(0, request.size), isChunked: isChunked))
    answer(.installSnapshot(request), into: &answers)
  }

  private mutating func takeRequest(
    _ outcome: inout Outcome, _ answers: inout ByteBuffer, _ profiles: inout WriterProfiles
  ) throws(Finding) -> Bool {
    let request: WireCommand
    do throws(WireError) {
      guard let next = try assembler.nextCommand() else { return false }
      request = next
    } catch {
      throw Finding(
        requirement: "R-PAY-7", text: "request \(requestCount + 1) of a stream cannot be read: \(error)")
    }
    requestCount += 1
    outcome.requests.append(request)
    do throws(CaseFailure) {
      unread.moveReaderIndex(forwardBy: try profiles.note(request, unread))
      if unread.readableBytes == 0 { unread.clear() }
    } catch {
      throw Finding(requirement: "R-PAY-7", text: error.actual)
    }
    if isChunked, requestCount > 1 {
      throw Finding(requirement: "R-SNAP-1", text: "a second request on a stream of chunks")
    }
    guard case .installSnapshot(let snapshot) = request else {
      if isChunked {
        throw Finding(
          requirement: "R-SNAP-1", text: "a request on a stream of chunks that is no InstallSnapshot")
      }
      answer(request, into: &answers)
      return true
    }
    body =
      isChunked
      ? .chunked(snapshot, ChunkAuditor(size: snapshot.size)) : .plain(snapshot, left: max(0, snapshot.size))
    return true
  }

  /// FIN stands behind whole requests and whole bodies only.
  private func checkEnd() throws(Finding) {
    switch body {
    case .plain(_, let left):
      throw Finding(requirement: "R-SNAP-16", text: "FIN where \(left) bytes of a plain body are due")
    case .chunked(_, let chunks):
      do throws(ChunkAuditor.Fault) { try chunks.finish() } catch {
        throw Finding(requirement: error.requirement, text: error.text)
      }
    case .none:
      guard unread.readableBytes == 0 else {
        throw Finding(
          requirement: "R-PAY-1", text: "FIN behind \(unread.readableBytes) bytes of an incomplete request")
      }
    }
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

extension Responder.Finding: Error {}
