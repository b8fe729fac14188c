internal import NIOCore
internal import RaftWire

/// Bytes of requests, and what their answers have to be.
enum Requests {
  static let header = RPCHeader(
    protocolVersion: 3, id: ByteBuffer(string: "conformance"), address: ByteBuffer(string: "127.0.0.1:1"))

  /// AppendEntries with one entry of some bytes.
  static func append(index: UInt64 = 1, dataBytes: Int = 8) -> [UInt8] {
    bytes(
      .appendEntries(
        AppendEntriesRequest(
          header: header, term: 1, leader: ByteBuffer(string: "conformance"), previousLogIndex: index - 1,
          previousLogTerm: 1,
          entries: [LogEntry(index: index, term: 1, data: ByteBuffer(repeating: 0x61, count: dataBytes))],
          leaderCommitIndex: 0)))
  }

  /// A heartbeat: AppendEntries without entries.
  static let heartbeat = bytes(
    .appendEntries(AppendEntriesRequest(header: header, term: 1, leader: ByteBuffer(string: "conformance"))))

  static let vote = bytes(
    .requestVote(RequestVoteRequest(header: header, term: 1, candidate: ByteBuffer(string: "conformance"))))

  static let preVote = bytes(.requestPreVote(RequestPreVoteRequest(header: header, term: 1)))

  static let timeoutNow = bytes(.timeoutNow(TimeoutNowRequest(header: header)))

  static func snapshot(size: Int64) -> [UInt8] {
    bytes(
      .installSnapshot(
        InstallSnapshotRequest(
          header: header, snapshotVersion: 1, term: 1, leader: ByteBuffer(string: "conformance"),
          lastLogIndex: 1,
          lastLogTerm: 1, size: size)))
  }

  static func bytes(_ command: WireCommand) -> [UInt8] {
    var buffer = ByteBuffer()
    do {
      try WireEncoder().encode(command: command, into: &buffer)
    } catch {
      preconditionFailure("requests of short fields have an encoding: \(error)")
    }
    return Array(buffer.readableBytesView)
  }

  /// Checks that bytes are answers to AppendEntries requests, as many as said and nothing more.
  static func checkAnswers(_ bytes: [UInt8], count: Int = 1) throws {
    try check(bytes, AppendEntriesResponse.self, count: count)
  }

  /// Checks that bytes are answers of one type, written as a writer has to write them.
  ///
  /// - Returns: The answers.
  @discardableResult
  static func check<Response: WireResponse>(
    _ bytes: [UInt8], _: Response.Type, count: Int = 1
  ) throws -> [WireAnswer<Response>] {
    var reader = AnswerReader(
      bytes, "\(count) answer\(count == 1 ? "" : "s"): error text and \(Response.self)")
    let answers = try (0..<count).map { _ in try reader.next(Response.self) }
    try reader.finish()
    return answers
  }
}

extension Probe {
  /// Opens a stream with the first bytes of it. A peer that takes no streams of the class is not asked.
  @discardableResult
  func open(
    _ trafficClass: UInt8 = StreamClass.append, encoding: UInt8 = 0, _ bytes: [UInt8] = [], fin: Bool = false
  ) async throws -> UInt64 {
    try requireCredit(trafficClass)
    let stream = newStream()
    await send(
      .open(stream, trafficClass, encoding: encoding, group: settings.group, bytes, fin: fin))
    return stream
  }

  func requireCredit(_ trafficClass: UInt8, _ count: UInt32 = 1) throws {
    guard let peerHello, peerHello.streamCredit(trafficClass) >= count else {
      throw CaseSkipped("the peer takes too few streams of class \(StreamClass.name(trafficClass))")
    }
  }

  /// An AppendEntries request and its answer: the peer is in good health.
  func expectService() async throws {
    let stream = try await open(Requests.append(), fin: true)
    try await Requests.checkAnswers(expectAnswer(stream))
  }

  func open(_ bytes: [UInt8], fin: Bool = false) async throws -> UInt64 {
    try await open(StreamClass.append, bytes, fin: fin)
  }

  /// A stream that the peer has refused: it takes bytes within its window, and never grants more.
  func openRefused(_ trafficClass: UInt8 = StreamClass.append) async throws -> UInt64 {
    let stream = try await open(trafficClass, encoding: 2)
    try await expectRefusedStream(stream, .unknownEncoding)
    return stream
  }
}
