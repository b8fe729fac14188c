import NIOCore
import RaftTransport
import RaftTransportTesting
import Testing

/// A suite that nothing can fail is worth nothing: each sabotage here must be found by the check that is
/// there for it.
@Suite("The suite for any transport finds broken ones")
struct TransportSuiteSelfTests {
  enum Sabotage: String, CaseIterable {
    case changedAnswer
    case changedErrorText
    case wrongDelivery
    case peerNotEncoded
    case heartbeatHandlerIgnored
    case neverAnswered

    /// The check that must find it.
    var check: String {
      switch self {
      case .changedAnswer: "RequestVote arrives whole, and so does its answer"
      case .changedErrorText: "A remote error's text arrives untouched"
      case .wrongDelivery: "Calls after closing fail with shutdown and were not delivered"
      case .peerNotEncoded: "A peer's address comes back from its encoded form"
      case .heartbeatHandlerIgnored: "A heartbeat handler that drops its RPC answers an error"
      case .neverAnswered: "A call with an empty ID reaches whoever answers there"
      }
    }
  }

  @Test("Each sabotage is found, and the failure says what was expected", arguments: Sabotage.allCases)
  func finds(_ sabotage: Sabotage) async throws {
    var options = TransportSuite.Options()
    // What hangs is what is looked for here; what does not hang is found at once.
    options.patience =
      [.neverAnswered, .heartbeatHandlerIgnored].contains(sabotage) ? .milliseconds(200) : .seconds(60)
    let fixture = TransportSuite.Fixture(options: options) {
      let caller = InMemoryTransport(options: .init(timeout: .zero))
      let callee = InMemoryTransport(options: .init(timeout: .zero))
      caller.connect(callee.localAddress, to: callee)
      return TransportSuite.Pair(
        caller: SabotagedTransport(base: caller, sabotage: sabotage),
        callee: SabotagedTransport(base: callee, sabotage: sabotage), calleeID: "",
        calleeAddress: callee.localAddress)
    }
    let check = try #require(TransportSuite.checks.first { $0.name == sabotage.check })
    let failure = await #expect(throws: TransportSuite.Failure.self) { try await check.run(on: fixture) }
    #expect(failure?.expected.isEmpty == false)
    #expect(failure?.actual.isEmpty == false)
  }
}

/// An in-memory transport with one fault.
private struct SabotagedTransport: Transport {
  let base: InMemoryTransport
  let sabotage: TransportSuiteSelfTests.Sabotage

  var consumer: IncomingRPCs { self.base.consumer }
  var localAddress: ServerAddress { self.base.localAddress }

  func appendEntriesPipeline(id: ServerID, target: ServerAddress) async throws -> any AppendPipeline {
    try await self.base.appendEntriesPipeline(id: id, target: target)
  }

  func appendEntries(
    id: ServerID, target: ServerAddress, _ request: AppendEntriesRequest
  ) async throws -> AppendEntriesResponse {
    do {
      return try await self.base.appendEntries(id: id, target: target, request)
    } catch let error as TransportError {
      switch self.sabotage {
      case .changedErrorText:
        let remote = error.remote.map {
          RemoteError(bytes: ByteBuffer(string: $0.text + " "), response: $0.response)
        }
        throw TransportError(error.code, error.message, delivery: error.delivery, remote: remote)
      case .wrongDelivery:
        throw TransportError(error.code, error.message, delivery: .unknown, remote: error.remote)
      default:
        throw error
      }
    }
  }

  func requestVote(
    id: ServerID, target: ServerAddress, _ request: RequestVoteRequest
  ) async throws -> RequestVoteResponse {
    var response = try await self.base.requestVote(id: id, target: target, request)
    switch self.sabotage {
    case .changedAnswer:
      response.term += 1
    case .neverAnswered:
      for await _ in AsyncStream<Void>.makeStream().stream {}
      throw CancellationError()
    default:
      break
    }
    return response
  }

  func requestPreVote(
    id: ServerID, target: ServerAddress, _ request: RequestPreVoteRequest
  ) async throws -> RequestPreVoteResponse {
    try await self.base.requestPreVote(id: id, target: target, request)
  }

  func installSnapshot(
    id: ServerID, target: ServerAddress, _ request: InstallSnapshotRequest, data: SnapshotSource
  ) async throws -> InstallSnapshotResponse {
    try await self.base.installSnapshot(id: id, target: target, request, data: data)
  }

  func timeoutNow(
    id: ServerID, target: ServerAddress, _ request: TimeoutNowRequest
  ) async throws -> TimeoutNowResponse {
    try await self.base.timeoutNow(id: id, target: target, request)
  }

  func encodePeer(id: ServerID, address: ServerAddress) -> ByteBuffer {
    self.sabotage == .peerNotEncoded ? ByteBuffer() : self.base.encodePeer(id: id, address: address)
  }

  func decodePeer(_ bytes: ByteBuffer) -> ServerAddress { self.base.decodePeer(bytes) }

  func setHeartbeatHandler(_ handler: HeartbeatHandler?) {
    if self.sabotage != .heartbeatHandlerIgnored { self.base.setHeartbeatHandler(handler) }
  }

  func close() async { await self.base.close() }
}
