import Crypto
import Foundation
import NIOCore
import RaftTransport
import Testing

/// This library calls hashicorp/raft's own `NetworkTransport` over RMUX/1.
@Suite(.serialized, .enabled(if: GoProgram.isWanted, Comment(rawValue: GoProgram.skipped)))
struct SwiftCallsGoTests {
  private static let header = RPCHeader(
    protocolVersion: 3, id: ByteBuffer(string: "swift"), address: ByteBuffer(string: "10.0.0.1:8300"))
  /// What is left of it behind a server that knows no more of headers.
  private static let oldHeader = RPCHeader(protocolVersion: 3)

  @Test(arguments: [WireProfile.original, WireProfile.default], [false, true])
  func everyRPCGivesItsValuesAndGetsItsAnswer(profile: WireProfile, checksum: Bool) async throws {
    let swift = try await SwiftPeer {
      $0.wireProfile = profile
      $0.frameChecksums = checksum ? .always : .automatic
    }
    try await withPair(GoListening(transport: .rmux, checksum: true), swift: swift) { go, address in
      let (id, target) = (ServerID("go"), ServerAddress(address))
      let candidate = ByteBuffer(string: "10.0.0.1:8300")
      let vote = try await swift.transport.requestVote(
        id: id, target: target,
        RequestVoteRequest(
          header: Self.header, term: 1 << 50, candidate: candidate, lastLogIndex: 4, lastLogTerm: 2,
          leadershipTransfer: true))
      #expect(
        vote
          == RequestVoteResponse(header: Self.oldHeader, term: 1 << 50, peers: candidate, granted: true))
      #expect(
        try await go.statistics().last
          == GoRequest(
            term: 1 << 50, candidate: Data(candidate.readableBytesView), lastLogIndex: 4, lastLogTerm: 2,
            leadershipTransfer: true))

      let entries = [
        LogEntry(index: 5, term: 2, type: .noop, data: nil),
        LogEntry(
          index: 6, term: 2, data: ByteBuffer(repeating: 9, count: 70_000),
          extensions: ByteBuffer(string: "more")),
      ]
      let append = try await swift.transport.appendEntries(
        id: id, target: target,
        AppendEntriesRequest(
          header: Self.header, term: 2, leader: candidate, previousLogIndex: 4, previousLogTerm: 2,
          entries: entries, leaderCommitIndex: 3))
      #expect(append == AppendEntriesResponse(header: Self.oldHeader, term: 2, lastLog: 6, success: true))
      let seen = try await go.statistics().last
      #expect(seen?.leader == Data(candidate.readableBytesView))
      #expect(seen?.leaderCommitIndex == 3)
      #expect(
        seen?.entries == [
          GoEntry(index: 5, term: 2, type: 1),
          GoEntry(index: 6, term: 2, data: Data(repeating: 9, count: 70_000), extensions: Data("more".utf8)),
        ])

      _ = try await swift.transport.appendEntries(
        id: id, target: target, AppendEntriesRequest(header: Self.header, term: 2, leader: candidate))
      #expect(try await go.statistics().heartbeats == 1)
      #expect(
        try await swift.transport.timeoutNow(id: id, target: target, TimeoutNowRequest(header: Self.header))
          == TimeoutNowResponse(header: Self.oldHeader))
      #expect(try await go.statistics().connections == 1)
    }
  }

  @Test(arguments: [16_384, 0])
  func aPipelineFillsItsDepthAndIsAnsweredInOrder(window: Int) async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .rmux, window: window), swift: swift) { go, address in
      let answered = try await swift.transport.withAppendPipeline(id: "go", target: ServerAddress(address)) {
        pipeline in
        async let indices = Self.lastLogs(of: pipeline, count: 3000)
        for number in 0..<3000 as Range<UInt64> {
          let entry = LogEntry(index: number + 1, term: 1, data: ByteBuffer(repeating: 1, count: 900))
          _ = try await pipeline.appendEntries(
            AppendEntriesRequest(
              header: Self.header, term: 1, leader: ByteBuffer(string: "a"), previousLogIndex: number,
              previousLogTerm: 1, entries: [entry]))
        }
        return try await indices
      }
      #expect(answered == Array(1...3000))
      #expect(try await go.statistics().appendEntries == 3000)
    }
  }

  private static func lastLogs(of pipeline: any AppendPipeline, count: Int) async throws -> [UInt64] {
    var lastLogs: [UInt64] = []
    for await future in pipeline.consumer {
      lastLogs.append(try await future.response.lastLog)
      if lastLogs.count == count { break }
    }
    return lastLogs
  }

  @Test func aMessageIsLargerThanTheWindow() async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .rmux, window: 16_384), swift: swift) { _, address in
      let entry = LogEntry(index: 1, term: 1, data: ByteBuffer(repeating: 1, count: 3_000_000))
      let answer = try await swift.transport.appendEntries(
        id: "go", target: ServerAddress(address), AppendEntriesRequest(term: 1, entries: [entry]))
      #expect(answer.lastLog == 1)
    }
  }

  /// Plain and in chunks (R-SNAP-20).
  @Test(
    arguments: [0, 1, 16_384, 1 << 20 + 1, 64 << 20], [CompressionMode.off, .on(level: 1), .automatic])
  func aSnapshotArrivesAsItWasSent(size: Int, compression: CompressionMode) async throws {
    let swift = try await SwiftPeer { $0.compression = compression }
    try await withPair(GoListening(transport: .rmux, checksum: true), swift: swift) { go, address in
      let pieces = Self.pieces(size)
      let answer = try await swift.transport.installSnapshot(
        id: "go", target: ServerAddress(address),
        InstallSnapshotRequest(header: Self.header, snapshotVersion: 1, term: 3, size: Int64(size)),
        data: SnapshotSource(pieces))
      #expect(answer == InstallSnapshotResponse(header: Self.oldHeader, term: 3, success: true))
      var sum = SHA256()
      for piece in pieces { sum.update(data: Data(piece.readableBytesView)) }
      let expected = GoSnapshotBody(size: Int64(size), sha256: sum.finalize().hexadecimal)
      #expect(try await go.statistics().snapshots == [expected])
    }
  }

  /// Bytes that shrink somewhat, each piece others.
  private static func pieces(_ size: Int) -> [ByteBuffer] {
    stride(from: 0, to: size, by: 1 << 20).map { start in
      let count = min(1 << 20, size - start)
      var piece = ByteBuffer()
      piece.writeInteger(UInt64(start))
      while piece.writerIndex < count { piece.writeImmutableBuffer(mixture) }
      return piece.getSlice(at: 0, length: count) ?? ByteBuffer()
    }
  }

  /// 64 values in an order that looks random.
  private static let mixture = ByteBuffer(
    bytes: (0..<4096).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 11 & 0x3F) })

  @Test func votesPassASnapshot() async throws {
    let swift = try await SwiftPeer()
    try await withPair(swift: swift) { go, address in
      let target = ServerAddress(address)
      let gate = AsyncStream.makeStream(of: ByteBuffer.self)
      gate.continuation.yield(ByteBuffer(repeating: 1, count: 3_000_000))
      async let answer = swift.transport.installSnapshot(
        id: "go", target: target, InstallSnapshotRequest(term: 3, size: 4_000_000),
        data: SnapshotSource(gate.stream))
      try await eventually("the snapshot has begun") {
        await swift.transport.statistics().connections.first?.streams.snapshot == 1
      }
      for term in 0..<50 as Range<UInt64> {
        let vote = try await swift.transport.requestVote(
          id: "go", target: target, RequestVoteRequest(term: term, lastLogIndex: 2))
        #expect(vote.granted)
      }
      #expect(try await go.statistics().snapshots.isEmpty)
      gate.continuation.yield(ByteBuffer(repeating: 2, count: 1_000_000))
      gate.continuation.finish()
      let isTaken = try await answer.success
      #expect(isTaken)
    }
  }

  @Test func aHandlersErrorComesWithItsText() async throws {
    let swift = try await SwiftPeer()
    try await withPair(swift: swift) { go, address in
      try await go.fail(term: 9, with: "not in the ninth term")
      let failed = try await failure("the vote") {
        try await swift.transport.requestVote(
          id: "go", target: ServerAddress(address), RequestVoteRequest(term: 9))
      }
      #expect(failed.code == .remote)
      #expect(failed.remote?.text == "not in the ninth term")
      let refused = try await failure("the snapshot") {
        try await swift.transport.installSnapshot(
          id: "go", target: ServerAddress(address), InstallSnapshotRequest(term: 9, size: 3),
          data: SnapshotSource(ByteBuffer(string: "abc")))
      }
      #expect(refused.remote?.text == "not in the ninth term")
    }
  }

  /// This release of hashicorp/raft has no pre-vote: it ends the stream without an answer (R-PAY-49),
  /// and the connection goes on.
  @Test func anUnknownCommandEndsItsStreamOnly() async throws {
    let swift = try await SwiftPeer()
    try await withPair(swift: swift) { go, address in
      let target = ServerAddress(address)
      let failed = try await failure("the pre-vote") {
        try await swift.transport.requestPreVote(id: "go", target: target, RequestPreVoteRequest(term: 1))
      }
      #expect(failed.code == .streamReset)
      #expect(failed.delivery == .unknown)
      _ = try await swift.transport.timeoutNow(id: "go", target: target, TimeoutNowRequest())
      #expect(try await go.statistics().connections == 1)
    }
  }

  @Test func anotherServerOrClusterIsFoundOutBeforeAnythingIsSent() async throws {
    let swift = try await SwiftPeer()
    try await withPair(swift: swift) { go, address in
      let wrong = try await failure("the call") {
        try await swift.transport.timeoutNow(
          id: "somebody", target: ServerAddress(address), TimeoutNowRequest())
      }
      #expect(wrong.code == .wrongServer)
      #expect(wrong.delivery == .notDelivered)
      #expect(try await go.statistics().timeoutNow == 0)
    }
    let other = try await SwiftPeer { $0.clusterID = "other" }
    try await withPair(swift: other) { _, address in
      let refused = try await failure("the call") {
        try await other.transport.timeoutNow(id: "go", target: ServerAddress(address), TimeoutNowRequest())
      }
      #expect(refused.code == .refused)
      #expect(refused.delivery == .notDelivered)
    }
  }
}
