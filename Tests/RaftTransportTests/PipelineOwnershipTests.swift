import RaftTransport
import RaftTransportTesting
import Testing

@Suite("Who ends a pipeline")
struct PipelineOwnershipTests {
  @Test("A pipeline that is dropped gives its stream back")
  func droppedPipelineEnds() async throws {
    func listen(_ id: ServerID) async throws -> MuxTransport {
      var configuration = TransportConfiguration(serverID: id, clusterID: "drop")
      configuration.logger = .quiet
      return try await MuxTransport.listen(on: "127.0.0.1:0", configuration: configuration)
    }
    let (caller, callee) = (try await listen("caller"), try await listen("callee"))
    try await withEchoConsumer(callee) { _ in
      var pipeline: (any AppendPipeline)? = try await caller.appendEntriesPipeline(
        id: "callee", target: callee.localAddress)
      _ = try await pipeline?.appendEntries(AppendEntriesRequest(term: 1)).response
      #expect(await callee.statistics().connections.map(\.streams.append) == [1])
      pipeline = nil
      // The next round trip on the same connection comes behind the end of the pipeline's stream.
      var openStreams = [1]
      while openStreams != [0] {
        _ = try await caller.requestVote(
          id: "callee", target: callee.localAddress, RequestVoteRequest(term: 1))
        openStreams = await callee.statistics().connections.map(\.streams.append)
      }
    }
    await caller.close()
    await callee.close()
  }
}
