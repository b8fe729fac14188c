import Foundation
import NIOCore
import RaftTransport
import Testing

/// hashicorp/raft's own `NetworkTransport` calls this library over RMUX/1.
@Suite(.enabled(if: GoProgram.isWanted, Comment(rawValue: GoProgram.skipped)))
struct GoCallsSwiftTests {
  /// With a pool a stream carries one request after the other, of every type (R-PAY-44); without, each has its own,
  /// which ends by FIN behind the answer (R-PAY-47).
  @Test(arguments: [0, 3])
  func everyRPCGivesItsValuesAndGetsItsAnswer(pool: Int) async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .rmux, pool: pool, checksum: pool == 0), swift: swift) {
      go, _ in
      let leader = Data("10.0.0.1:8300".utf8)
      for round in 1...3 as ClosedRange<UInt64> {
        let vote = try await go.call(
          "RequestVote", at: swift.address,
          GoRequest(
            term: round, candidate: leader, lastLogIndex: round, lastLogTerm: round,
            leadershipTransfer: round == 2))
        #expect(
          vote == GoResponse(protocolVersion: 3, term: round, granted: round == 2, peers: leader))

        let entries = (0..<3).map { number in
          GoEntry(
            index: round + number, term: round, type: UInt8(number), data: Data(repeating: 7, count: 300),
            extensions: number == 1 ? Data("more".utf8) : nil)
        }
        let append = try await go.call(
          "AppendEntries", at: swift.address,
          GoRequest(
            term: round, leader: leader, prevLogEntry: 1 << 40, prevLogTerm: round, entries: entries,
            leaderCommitIndex: 5))
        #expect(
          append
            == GoResponse(
              protocolVersion: 3, term: round, lastLog: 1 << 40 + 3, success: true, noRetryBackoff: false))

        let beat = try await go.call(
          "AppendEntries", at: swift.address, GoRequest(term: round, leader: leader))
        #expect(
          beat
            == GoResponse(protocolVersion: 3, term: round, lastLog: 0, success: true, noRetryBackoff: true))
        #expect(
          try await go.call("TimeoutNow", at: swift.address, GoRequest()) == GoResponse(protocolVersion: 3))
      }
      #expect(try await go.statistics().connections == 1)
      if pool == 0 {
        try await eventually("all streams have ended") { try await go.statistics().streams == 0 }
        #expect(try await go.statistics().impatience == 0)
      }

      let seen = swift.seen
      #expect(seen.timeoutNow == 3)
      #expect(
        seen.requestVote[1]
          == RequestVoteRequest(
            header: RPCHeader(protocolVersion: 3), term: 2, candidate: ByteBuffer(bytes: leader),
            lastLogIndex: 2, lastLogTerm: 2, leadershipTransfer: true))
      let append = try #require(seen.appendEntries.first)
      #expect(append.leader == ByteBuffer(bytes: leader))
      #expect(append.previousLogIndex == 1 << 40)
      #expect(append.entries?.map { $0?.type.rawValue } == [0, 1, 2])
      #expect(append.entries?[1]?.extensions == ByteBuffer(string: "more"))
      #expect(append.entries?[2]?.data == ByteBuffer(repeating: 7, count: 300))
    }
  }

  /// R-PAY-45, R-PAY-46.
  @Test(arguments: [16_384, 0])
  func aPipelineFillsItsDepthAndIsAnsweredInOrder(window: Int) async throws {
    let swift = try await SwiftPeer { if window > 0 { $0.windows.initial = window } }
    try await withPair(swift: swift) { go, _ in
      let result = try await go.pipeline(at: swift.address, count: 3000, entries: 2, entryBytes: 900)
      #expect(result.answered == 3000)
      #expect(result.mostInFlight >= 128)
      #expect(swift.seen.appendEntries.map(\.previousLogIndex) == (0..<3000).map { $0 })
    }
  }

  @Test func aMessageIsLargerThanTheWindow() async throws {
    let swift = try await SwiftPeer { $0.windows.initial = 16_384 }
    try await withPair(swift: swift) { go, _ in
      let entry = GoEntry(index: 1, term: 1, data: Data(repeating: 1, count: 600_000))
      let answer = try await go.call(
        "AppendEntries", at: swift.address, GoRequest(term: 1, leader: Data("a".utf8), entries: [entry]))
      #expect(answer.lastLog == 1)
    }
  }

  @Test(arguments: [0, 1, 16_384, 1 << 20 + 1, 64 << 20] as [Int64])
  func aSnapshotArrivesAsItWasSent(size: Int64) async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .rmux, checksum: size.isMultiple(of: 2)), swift: swift) {
      go, _ in
      let sent = try await go.snapshot(at: swift.address, size: size)
      #expect(sent.response == GoResponse(protocolVersion: 3, term: 3, success: true))
      #expect(swift.seen.snapshots == [sent.sha256])
      #expect(swift.seen.installSnapshot.first?.size == size)
      #expect(swift.seen.installSnapshot.first?.configuration == ByteBuffer(string: "configuration"))
    }
  }

  @Test func votesPassASnapshot() async throws {
    let swift = try await SwiftPeer()
    try await withPair(swift: swift) { go, _ in
      async let sent = go.snapshot(at: swift.address, size: 200_000_000, pieces: 200_000)
      try await eventually("the snapshot has begun") { !swift.seen.installSnapshot.isEmpty }
      for term in 0..<50 as Range<UInt64> {
        let answer = try await go.call(
          "RequestVote", at: swift.address, GoRequest(term: term, lastLogIndex: 2))
        #expect(answer.granted == true)
      }
      #expect(swift.seen.snapshots.isEmpty, "the votes came after the snapshot")
      let sum = try await sent.sha256
      #expect([sum] == swift.seen.snapshots)
    }
  }

  @Test func aHandlersErrorComesWithItsText() async throws {
    let swift = try await SwiftPeer(failure: (9, "not in the ninth term: \u{e4}"))
    try await withPair(swift: swift) { go, _ in
      for _ in 0..<3 {
        let vote = await #expect(throws: GoPeerError.self) {
          try await go.call("RequestVote", at: swift.address, GoRequest(term: 9))
        }
        #expect(vote?.text == "not in the ninth term: \u{e4}")
        // The stream of the failed call serves the next one.
        _ = try await go.call("RequestVote", at: swift.address, GoRequest(term: 8))
      }
    }
  }

  /// Upstream looks for the answer only when it has sent all of the snapshot; here it is told that the rest is not
  /// needed.
  @Test(arguments: [100, 20 << 20] as [Int64])
  func aSnapshotThatIsNotWantedIsAnsweredWithTheHandlersError(size: Int64) async throws {
    let swift = try await SwiftPeer(failure: (9, "no snapshots today"))
    try await withPair(swift: swift) { go, _ in
      let refused = await #expect(throws: GoPeerError.self) {
        try await go.snapshot(at: swift.address, size: size, term: 9)
      }
      #expect(refused?.text == "no snapshots today")
      let sent = try await go.snapshot(at: swift.address, size: size)
      #expect(swift.seen.snapshots == [sent.sha256])
    }
  }

  @Test func aSnapshotThatIsCutIsNotTakenForAWholeOne() async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .rmux, timeoutMilliseconds: 300), swift: swift) { go, _ in
      // Upstream does not notice that its source was short, and waits for an answer until its deadline.
      await #expect(throws: GoPeerError.self) {
        try await go.snapshot(at: swift.address, size: 100_000, short: 1)
      }
      try await eventually("the body ends with an error") { !swift.seen.snapshotErrors.isEmpty }
      #expect(swift.seen.snapshotErrors == [.snapshotCut])
      #expect(swift.seen.snapshots.isEmpty)
    }
  }

  @Test func aClusterOfAnotherNameIsRefused() async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .rmux, cluster: "other"), swift: swift) { go, _ in
      let refused = await #expect(throws: GoPeerError.self) {
        try await go.call("TimeoutNow", at: swift.address, GoRequest())
      }
      #expect(refused?.text.contains("wrongCluster") == true)
      #expect(swift.seen.timeoutNow == 0)
    }
  }
}
