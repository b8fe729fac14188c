import Crypto
import Foundation
import NIOCore
import RaftTransport
import Testing

/// hashicorp/raft's own `NetworkTransport` and this library over the classic protocol, in both directions.
@Suite(.enabled(if: GoProgram.isWanted, Comment(rawValue: GoProgram.skipped)))
struct ClassicGoTests {
  private static let sizes = [0, 1, 16_384, 1 << 20 + 1, 64 << 20] as [Int64]

  // MARK: Go calls

  @Test(arguments: [0, 3])
  func goCallsEveryRPC(pool: Int) async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .classic, pool: pool), swift: swift) { go, _ in
      let leader = Data("10.0.0.1:8300".utf8)
      for round in 1...3 as ClosedRange<UInt64> {
        let vote = try await go.call(
          "RequestVote", at: swift.address,
          GoRequest(term: round, candidate: leader, lastLogIndex: round, lastLogTerm: round))
        #expect(vote == GoResponse(protocolVersion: 3, term: round, granted: round == 2, peers: leader))
        let entry = GoEntry(index: round, term: round, data: Data(repeating: 7, count: 300_000))
        let append = try await go.call(
          "AppendEntries", at: swift.address,
          GoRequest(term: round, leader: leader, prevLogEntry: 1 << 40, prevLogTerm: round, entries: [entry]))
        #expect(append.lastLog == 1 << 40 + 1)
        let beat = try await go.call(
          "AppendEntries", at: swift.address, GoRequest(term: round, leader: leader))
        #expect(beat.noRetryBackoff == true)
        #expect(
          try await go.call("TimeoutNow", at: swift.address, GoRequest()) == GoResponse(protocolVersion: 3))
      }
      let connections = await swift.transport.statistics().connections
      #expect(connections.allSatisfy { $0.peerProtocol == .classic && !$0.isDialled })
      if pool > 0 {
        #expect(connections.count == 1, "one call after the other goes over one pooled connection")
      }
      #expect(swift.seen.timeoutNow == 3)
    }
  }

  @Test func goFillsItsPipelines() async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .classic), swift: swift) { go, _ in
      let result = try await go.pipeline(at: swift.address, count: 3000, entries: 2, entryBytes: 900)
      #expect(result.answered == 3000)
      #expect(result.mostInFlight >= 128)
      #expect(swift.seen.appendEntries.map(\.previousLogIndex) == (0..<3000).map { $0 })
    }
  }

  @Test(arguments: sizes)
  func goSendsSnapshots(size: Int64) async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .classic), swift: swift) { go, _ in
      let sent = try await go.snapshot(at: swift.address, size: size)
      #expect(sent.response == GoResponse(protocolVersion: 3, term: 3, success: true))
      #expect(swift.seen.snapshots == [sent.sha256])
      #expect(swift.seen.installSnapshot.first?.size == size)
    }
  }

  // R-CLS-8
  @Test(arguments: [100, 20 << 20] as [Int64])
  func goHearsWhyASnapshotIsNotWanted(size: Int64) async throws {
    let swift = try await SwiftPeer(failure: (9, "no snapshots today"))
    try await withPair(GoListening(transport: .classic), swift: swift) { go, _ in
      let refused = await #expect(throws: GoPeerError.self) {
        try await go.snapshot(at: swift.address, size: size, term: 9)
      }
      #expect(refused?.text == "no snapshots today")
      let taken = try await go.snapshot(at: swift.address, size: size)
      #expect(swift.seen.snapshots.first == taken.sha256)
    }
  }

  @Test func goHearsAHandlersError() async throws {
    let swift = try await SwiftPeer(failure: (9, "not in the ninth term: \u{e4}"))
    try await withPair(GoListening(transport: .classic), swift: swift) { go, _ in
      for _ in 0..<3 {
        let vote = await #expect(throws: GoPeerError.self) {
          try await go.call("RequestVote", at: swift.address, GoRequest(term: 9))
        }
        #expect(vote?.text == "not in the ninth term: \u{e4}")
        _ = try await go.call("RequestVote", at: swift.address, GoRequest(term: 8))
      }
      // An error answer keeps the connection.
      #expect(await swift.transport.statistics().connections.count == 1)
    }
  }

  // R-CLS-13
  @Test func aSnapshotThatGoCutsIsNotTakenForAWholeOne() async throws {
    let swift = try await SwiftPeer()
    let listening = GoListening(transport: .classic, timeoutMilliseconds: 300)
    try await withPair(listening, swift: swift) { go, _ in
      // Upstream does not notice that its source was short, and waits for an answer until its deadline.
      await #expect(throws: GoPeerError.self) {
        try await go.snapshot(at: swift.address, size: 100_000, short: 1)
      }
      try await eventually("the body ends with an error") { !swift.seen.snapshotErrors.isEmpty }
      #expect(swift.seen.snapshotErrors == [.snapshotCut])
      #expect(swift.seen.snapshots.isEmpty)
    }
  }

  // MARK: Swift calls

  /// With RMUX preferred the peer has to be found out first (R-CLS-20).
  @Test(
    arguments: [TransportConfiguration.ProtocolChoice.preferRMUX, .classicOnly],
    [WireProfile.original, .default])
  func swiftCallsEveryRPC(choice: TransportConfiguration.ProtocolChoice, profile: WireProfile) async throws {
    let swift = try await SwiftPeer {
      $0.peerProtocol = choice
      $0.wireProfile = profile
    }
    try await withPair(GoListening(transport: .classic), swift: swift) { go, address in
      let (id, target) = (ServerID("go"), ServerAddress(address))
      let header = RPCHeader(protocolVersion: 3)
      let candidate = ByteBuffer(string: "10.0.0.1:8300")
      for round in 1...3 as ClosedRange<UInt64> {
        let vote = try await swift.transport.requestVote(
          id: id, target: target,
          RequestVoteRequest(
            header: header, term: round, candidate: candidate, lastLogIndex: 4, lastLogTerm: 2))
        #expect(vote == RequestVoteResponse(header: header, term: round, peers: candidate, granted: true))
        let entries = [
          LogEntry(index: 5, term: 2, type: .noop, data: nil),
          LogEntry(index: 6, term: 2, data: ByteBuffer(repeating: 9, count: 70_000)),
        ]
        let append = try await swift.transport.appendEntries(
          id: id, target: target,
          AppendEntriesRequest(
            header: header, term: round, leader: candidate, previousLogIndex: 4, previousLogTerm: 2,
            entries: entries, leaderCommitIndex: 3))
        #expect(append == AppendEntriesResponse(header: header, term: round, lastLog: 6, success: true))
        _ = try await swift.transport.appendEntries(
          id: id, target: target, AppendEntriesRequest(header: header, term: round, leader: candidate))
        #expect(
          try await swift.transport.timeoutNow(id: id, target: target, TimeoutNowRequest(header: header))
            == TimeoutNowResponse(header: header))
      }
      #expect(try await go.statistics().heartbeats == 3)
      let connections = await swift.transport.statistics().connections
      #expect(connections.map(\.peerProtocol) == [.classic])
    }
  }

  @Test func swiftFillsItsPipelines() async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .classic), swift: swift) { go, address in
      try await swift.transport.withAppendPipeline(id: "go", target: ServerAddress(address)) { pipeline in
        async let answered = Self.lastLogs(of: pipeline, count: 3000)
        for number in 0..<3000 as Range<UInt64> {
          let entry = LogEntry(index: number + 1, term: 1, data: ByteBuffer(repeating: 1, count: 900))
          _ = try await pipeline.appendEntries(
            AppendEntriesRequest(
              term: 1, leader: ByteBuffer(string: "a"), previousLogIndex: number, previousLogTerm: 1,
              entries: [entry]))
        }
        #expect(try await answered == Array(1...3000))
      }
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

  @Test(arguments: sizes)
  func swiftSendsSnapshots(size: Int64) async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .classic), swift: swift) { go, address in
      let pieces = stride(from: 0, to: size, by: 1 << 20).map { start in
        ByteBuffer(
          bytes: (0..<min(1 << 20, size - start)).map { UInt8(truncatingIfNeeded: ($0 &* 31 &+ start) >> 7) })
      }
      let answer = try await swift.transport.installSnapshot(
        id: "go", target: ServerAddress(address),
        InstallSnapshotRequest(
          header: RPCHeader(protocolVersion: 3), snapshotVersion: 1, term: 3, size: size),
        data: SnapshotSource(pieces))
      #expect(answer.success)
      var sum = SHA256()
      for piece in pieces { sum.update(data: Data(piece.readableBytesView)) }
      let expected = GoSnapshotBody(size: size, sha256: sum.finalize().hexadecimal)
      #expect(try await go.statistics().snapshots == [expected])
    }
  }

  @Test func swiftHearsAHandlersError() async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .classic), swift: swift) { go, address in
      try await go.fail(term: 9, with: "not in the ninth term", refusingSnapshots: true)
      for _ in 0..<2 {
        let error = try await failure("a vote") {
          try await swift.transport.requestVote(
            id: "go", target: ServerAddress(address), RequestVoteRequest(term: 9))
        }
        #expect(error.remote?.text == "not in the ninth term")
        #expect(error.delivery == .answered)
      }
      #expect(await swift.transport.statistics().connections.count == 1)
    }
  }

  // R-CLS-18
  @Test func aPreVoteToAServerWithoutItLetsElectionsGoOn() async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .classic), swift: swift) { go, address in
      for isKnown in [false, true] {
        if isKnown {
          _ = try await swift.transport.requestVote(
            id: "go", target: ServerAddress(address), RequestVoteRequest(term: 1))
        }
        let error = try await failure("a pre-vote") {
          try await swift.transport.requestPreVote(
            id: "go", target: ServerAddress(address), RequestPreVoteRequest(term: 2))
        }
        #expect(error.code == .remote)
        #expect(error.remote?.text == "unexpected command")
      }
    }
  }
}
