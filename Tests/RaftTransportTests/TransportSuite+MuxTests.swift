import RaftTransport
import RaftTransportTesting
import Testing

@Suite("The suite for any transport, on real sockets")
struct MuxConformanceTests {
  private static func fixture(depth: Int, compression: CompressionMode) -> TransportSuite.Fixture {
    var options = TransportSuite.Options()
    options.pipelineDepth = depth
    return TransportSuite.Fixture(
      options: options,
      makeImpatientPair: {
        try await makePair(timeout: .seconds(1), depth: depth, compression: compression)
      },
      makePair: { try await makePair(timeout: .seconds(120), depth: depth, compression: compression) })
  }

  private static func makePair(
    timeout: Duration, depth: Int, compression: CompressionMode
  ) async throws -> TransportSuite.Pair {
    func listen(_ id: ServerID) async throws -> MuxTransport {
      var configuration = TransportConfiguration(serverID: id, clusterID: "suite")
      configuration.timeout = timeout
      configuration.snapshotDeadline = .progress(stall: timeout, restore: timeout)
      configuration.maxRPCsInFlight = depth
      configuration.compression = compression
      configuration.logger = .quiet
      return try await MuxTransport.listen(on: "127.0.0.1:0", configuration: configuration)
    }
    let caller = try await listen("caller")
    let callee = try await listen("callee")
    return TransportSuite.Pair(
      caller: caller, callee: callee, calleeID: "callee", calleeAddress: callee.localAddress)
  }

  // R-SNAP-19
  @Test(
    "With deep pipelines and compression",
    arguments: TransportSuite.checks(for: fixture(depth: 16, compression: .on())))
  func conformsWithDeepPipelines(_ check: TransportSuite.Check) async throws {
    try await check.run(on: Self.fixture(depth: 16, compression: .on()))
  }

  // R-SNAP-19
  @Test(
    "With the least depth and plain snapshots",
    arguments: TransportSuite.checks(for: fixture(depth: 2, compression: .off)))
  func conformsWithShallowPipelines(_ check: TransportSuite.Check) async throws {
    try await check.run(on: Self.fixture(depth: 2, compression: .off))
  }
}
