import Foundation
import Testing

/// The instrument itself: two Go peers that speak with each other.
@Suite(.enabled(if: GoProgram.isWanted, Comment(rawValue: GoProgram.skipped)))
struct GoPeerTests {
  @Test func theGoEndpointReadsTheVectorsOfTheSpecification() async {
    let output = await GoProgram.runOwnTests()
    #expect(output.hasPrefix("ok"), "\(output)")
  }

  @Test(arguments: GoCarrier.allCases)
  func twoGoPeersAnswerEachOther(carrier: GoCarrier) async throws {
    let (server, address) = try await GoPeer.listening(GoListening(transport: carrier, server: "b"))
    let (caller, _) = try await GoPeer.listening(GoListening(transport: carrier, server: "a"))

    let vote = try await caller.call(
      "RequestVote", at: address, GoRequest(term: 7, candidate: Data("a".utf8), lastLogIndex: 4))
    #expect(vote == GoResponse(protocolVersion: 3, term: 7, granted: true, peers: Data("a".utf8)))
    #expect(try await caller.pipeline(at: address, count: 300, entries: 1, entryBytes: 10).answered == 300)
    let sent = try await caller.snapshot(at: address, size: 100_000)
    #expect(sent.response.success == true)
    let seen = try await server.statistics()
    #expect(seen.appendEntries == 300)
    #expect(seen.snapshots == [GoSnapshotBody(size: 100_000, sha256: sent.sha256)])

    try await server.fail(term: 9, with: "not in the ninth")
    let failure = await #expect(throws: GoPeerError.self) {
      try await caller.call("RequestVote", at: address, GoRequest(term: 9))
    }
    #expect(failure?.text == "not in the ninth")
    await caller.end()
    await server.kill()
    await #expect(throws: GoPeerError.self) { try await server.statistics() }
  }
}
