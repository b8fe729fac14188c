import NIOCore
import RaftTransport
import RaftWire

/// Writes and reads one message over and over.
struct CodecSession: MeasuringSession {
  let message: CodecMessage

  func measure(_ effort: Effort) async throws -> Sample {
    let header = RPCHeader(
      protocolVersion: 3, id: ByteBuffer(string: "server-1"), address: ByteBuffer(string: "127.0.0.1:8300"))
    let leader = ByteBuffer(string: "127.0.0.1:8300")
    let half = effort.duration / 2
    switch message {
    case .append1x256:
      return try requests(Self.append(entries: 1, header, leader), half)
    case .append64x256:
      return try requests(Self.append(entries: 64, header, leader), half)
    case .heartbeat:
      return try requests(AppendEntriesRequest(header: header, term: 7, leader: leader), half)
    case .vote:
      return try requests(
        RequestVoteRequest(header: header, term: 7, candidate: leader, lastLogIndex: 41, lastLogTerm: 6), half
      )
    case .preVote:
      return try requests(
        RequestPreVoteRequest(header: header, term: 7, lastLogIndex: 41, lastLogTerm: 6), half)
    case .timeoutNow:
      return try requests(TimeoutNowRequest(header: header), half)
    case .snapshot:
      return try requests(
        InstallSnapshotRequest(
          header: header, snapshotVersion: 1, term: 7, leader: leader, lastLogIndex: 41, lastLogTerm: 6,
          size: 1 << 30), half)
    case .appendResponse:
      return try responses(AppendEntriesResponse(header: header, term: 7, lastLog: 42, success: true), half)
    case .voteResponse:
      return try responses(RequestVoteResponse(header: header, term: 7, granted: true), half)
    case .snapshotResponse:
      return try responses(InstallSnapshotResponse(header: header, term: 7, success: true), half)
    }
  }

  /// It counts allocations by itself; there are no system calls.
  func count(_ isOn: Bool) async throws {}

  func usage() async throws -> Usage {
    Usage(clientCPUSeconds: ProcessorTime.seconds, serverCPUSeconds: 0, wireBytes: 0)
  }

  func close() async {}

  private static func append(entries: Int, _ header: RPCHeader, _ leader: ByteBuffer) -> AppendEntriesRequest
  {
    AppendEntriesRequest(
      header: header, term: 7, leader: leader, previousLogIndex: 41, previousLogTerm: 6,
      entries: (0..<entries).map {
        LogEntry(index: 42 + UInt64($0), term: 7, data: ByteBuffer(repeating: UInt8($0), count: 256))
      }, leaderCommitIndex: 40)
  }

  private func requests(_ request: some WireRequest, _ duration: Duration) throws -> Sample {
    try measure(duration) {
      try WireEncoder().encode(request: request, into: &$0)
    } decode: {
      _ = try WireDecoder().decodeCommand(from: &$0)
    }
  }

  private func responses<Response: WireResponse>(_ response: Response, _ duration: Duration) throws -> Sample
  {
    let answer = WireAnswer(response: response)
    return try measure(duration) {
      try WireEncoder().encode(answer: answer, into: &$0)
    } decode: {
      _ = try WireDecoder().decodeAnswer(Response.self, from: &$0)
    }
  }

  private func measure(
    _ duration: Duration, encode: (inout ByteBuffer) throws -> Void, decode: (inout ByteBuffer) throws -> Void
  ) throws -> Sample {
    var buffer = ByteBuffer()
    try encode(&buffer)
    let encoded = buffer
    let writing = try Self.repeated(duration) {
      buffer.clear()
      try encode(&buffer)
    }
    let reading = try Self.repeated(duration) {
      var bytes = encoded
      try decode(&bytes)
    }
    return Sample(
      operations: writing.count + reading.count, payloadBytes: 0, seconds: duration.inSeconds * 2,
      codec: Sample.Codec(
        bytes: encoded.readableBytes, encodeNanoseconds: writing.nanoseconds,
        decodeNanoseconds: reading.nanoseconds, encodeAllocations: writing.allocations,
        decodeAllocations: reading.allocations))
  }

  private struct Cost {
    var count: Int
    var nanoseconds: Double
    var allocations: Double?
  }

  /// The mean time of one call, and how often it asks for memory.
  private static func repeated(_ duration: Duration, _ body: () throws -> Void) throws -> Cost {
    let counted = 1_000
    Allocations.count(true)
    let before = Allocations.count
    for _ in 0..<counted { try body() }
    let after = Allocations.count
    Allocations.count(false)
    let watch = Stopwatch(duration)
    var count = 0
    repeat {
      for _ in 0..<100 { try body() }
      count += 100
    } while watch.isRunning
    let nanoseconds = watch.seconds * 1e9 / Double(count)
    let allocations = before.flatMap { before in after.map { Double($0 - before) / Double(counted) } }
    return Cost(count: count, nanoseconds: nanoseconds, allocations: allocations)
  }
}
