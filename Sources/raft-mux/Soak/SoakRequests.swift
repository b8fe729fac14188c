import NIOCore
import RaftTransport

/// Requests that are functions of their number, which travels in the header's ID: whoever gets one can make it again
/// and compare.
enum SoakRequests {
  static func append(_ number: UInt64) -> AppendEntriesRequest {
    var choices = SoakChoices(seed: number, stream: 1)
    let count = Int.random(in: 0...8, using: &choices)
    let longest = choices.once(in: 100) ? 400_000 : 1_500
    let entries = (0..<count).map { index -> LogEntry? in
      LogEntry(
        index: number &+ UInt64(index), term: 7,
        data: SoakBytes.piece(
          of: number, at: UInt64(index) * 101, count: .random(in: 0...longest, using: &choices)))
    }
    return AppendEntriesRequest(
      header: header(number), term: 7, leader: SoakBytes.piece(of: number, at: 0, count: 12),
      previousLogIndex: number,
      previousLogTerm: 6, entries: entries, leaderCommitIndex: number)
  }

  /// What the transport takes for a heartbeat, so that it goes to the heartbeat's handler.
  static func heartbeat(_ number: UInt64) -> AppendEntriesRequest {
    AppendEntriesRequest(
      header: header(number), term: 7, leader: SoakBytes.piece(of: number, at: 0, count: 12))
  }

  static func vote(_ number: UInt64) -> RequestVoteRequest {
    RequestVoteRequest(
      header: header(number), term: 8, candidate: SoakBytes.piece(of: number, at: 0, count: 12),
      lastLogIndex: number,
      lastLogTerm: 7)
  }

  static func preVote(_ number: UInt64) -> RequestPreVoteRequest {
    RequestPreVoteRequest(header: header(number), term: 8, lastLogIndex: number, lastLogTerm: 7)
  }

  static func timeoutNow(_ number: UInt64) -> TimeoutNowRequest {
    TimeoutNowRequest(header: header(number))
  }

  /// Mostly some hundred kilobytes, sometimes nothing, sometimes 16 MiB.
  static func snapshot(_ number: UInt64) -> InstallSnapshotRequest {
    var choices = SoakChoices(seed: number, stream: 2)
    let largest = choices.once(in: 10) ? 16 << 20 : 1 << 20
    return InstallSnapshotRequest(
      header: header(number), snapshotVersion: 1, term: 7, lastLogIndex: number, lastLogTerm: 7,
      configuration: SoakBytes.piece(of: number, at: 5, count: 100), configurationIndex: 1,
      size: choices.once(in: 20) ? 0 : Int64.random(in: 1...Int64(largest), using: &choices))
  }

  private static func header(_ number: UInt64) -> RPCHeader {
    RPCHeader(
      protocolVersion: 3, id: ByteBuffer(integer: number),
      address: SoakBytes.piece(of: number, at: 0, count: 24))
  }

  /// The number of a request, or of the answer to it.
  static func number(of header: RPCHeader) -> UInt64? {
    guard let id = header.id, id.readableBytes == 8 else { return nil }
    return id.getInteger(at: id.readerIndex)
  }
}

/// Bytes that are a function of a number and a place, half of the numbers with bytes that can be compressed.
enum SoakBytes {
  private static let period = 65_521
  private static let noise: ByteBuffer = {
    var choices = SoakChoices(seed: 4_711, stream: 0)
    return ByteBuffer(bytes: (0..<period).map { _ in UInt8.random(in: .min ... .max, using: &choices) })
  }()
  private static let text = ByteBuffer(bytes: GeneratedText.lines(1_200).utf8.prefix(period))

  static func piece(of number: UInt64, at offset: UInt64, count: Int) -> ByteBuffer {
    let table = number & 1 == 0 ? noise : text
    let length = UInt64(table.readableBytes)
    var bytes = ByteBuffer()
    var start = Int((number % 9_973 + offset % length) % length)
    while bytes.readableBytes < count {
      let part = min(count - bytes.readableBytes, table.readableBytes - start)
      guard let slice = table.getSlice(at: start, length: part) else { break }
      if bytes.readableBytes == 0 && part == count { return slice }
      bytes.writeImmutableBuffer(slice)
      start = 0
    }
    return bytes
  }
}
