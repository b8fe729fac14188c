import RaftTransport
import RaftTransportTesting
import Testing

@Suite("The suite for any transport, on the old protocol")
struct ClassicConformanceTests {
  private static func fixture(depth: Int) -> TransportSuite.Fixture {
    var options = TransportSuite.Options()
    options.pipelineDepth = depth
    // As upstream has it: the next request of a connection is looked at when the last one was answered.
    options.deliversPipelinedRequestsAhead = false
    // An answer comes behind the snapshot's last byte, wanted or not.
    options.answersUnfinishedSnapshots = false
    // The old protocol has no names.
    options.checksServerIDs = false
    return TransportSuite.Fixture(
      options: options,
      makeImpatientPair: { try await makePair(timeout: .seconds(2), depth: depth) },
      makePair: { try await makePair(timeout: .seconds(120), depth: depth) })
  }

  private static func makePair(timeout: Duration, depth: Int) async throws -> TransportSuite.Pair {
    func open(_ id: ServerID) async throws -> MuxTransport {
      try await listen(id, .classicOnly) {
        $0.timeout = timeout
        $0.snapshotDeadline = .progress(stall: timeout, restore: timeout)
        $0.maxRPCsInFlight = depth
        // The suite makes many calls at once, each with a connection of its own.
        $0.oldPeers.maximumConnections = 1_024
        $0.limits.handshakes = 1_024
        $0.limits.handshakesPerAddress = 1_024
      }
    }
    let caller = try await open("caller")
    let callee = try await open("callee")
    return TransportSuite.Pair(
      caller: caller, callee: callee, calleeID: "callee", calleeAddress: callee.localAddress)
  }

  @Test(
    "With upstream's deepest pipelines", .serialized,
    arguments: TransportSuite.checks(for: fixture(depth: 130)))
  func conformsWithDeepPipelines(_ check: TransportSuite.Check) async throws {
    try await check.run(on: Self.fixture(depth: 130))
  }

  @Test("With the least depth", .serialized, arguments: TransportSuite.checks(for: fixture(depth: 2)))
  func conformsWithShallowPipelines(_ check: TransportSuite.Check) async throws {
    try await check.run(on: Self.fixture(depth: 2))
  }
}
