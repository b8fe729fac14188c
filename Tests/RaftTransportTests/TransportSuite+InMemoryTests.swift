import RaftTransport
import RaftTransportTesting
import Testing

@Suite("The suite for any transport, on the in-memory one")
struct InMemoryConformanceTests {
  static func fixture(depth: Int) -> TransportSuite.Fixture {
    var options = TransportSuite.Options()
    options.pipelineDepth = depth
    options.unreachableAddress = "nowhere"
    return TransportSuite.Fixture(
      options: options,
      makeImpatientPair: { makePair(timeout: .milliseconds(50), depth: depth) },
      makePair: { makePair(timeout: .seconds(120), depth: depth) })
  }

  static func makePair(timeout: Duration, depth: Int) -> TransportSuite.Pair {
    let options = InMemoryTransport.Options(timeout: timeout, maxRPCsInFlight: depth)
    let caller = InMemoryTransport(serverID: "caller", options: options)
    let callee = InMemoryTransport(serverID: "callee", options: options)
    caller.connect(callee.localAddress, to: callee)
    callee.connect(caller.localAddress, to: caller)
    return TransportSuite.Pair(
      caller: caller, callee: callee, calleeID: callee.serverID, calleeAddress: callee.localAddress)
  }

  @Test("With upstream's pipeline depth of 16", arguments: TransportSuite.checks(for: fixture(depth: 16)))
  func conformsWithDeepPipelines(_ check: TransportSuite.Check) async throws {
    try await check.run(on: Self.fixture(depth: 16))
  }

  @Test("With the least depth of 2", arguments: TransportSuite.checks(for: fixture(depth: 2)))
  func conformsWithShallowPipelines(_ check: TransportSuite.Check) async throws {
    try await check.run(on: Self.fixture(depth: 2))
  }

  @Test("Without pipelines", arguments: TransportSuite.checks(for: fixture(depth: 1)))
  func conformsWithoutPipelines(_ check: TransportSuite.Check) async throws {
    try await check.run(on: Self.fixture(depth: 1))
  }

  @Test("The checks have names of their own")
  func namesAreUnique() {
    let names = TransportSuite.checks.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.count > 50)
  }
}
