import NIOCore
import NIOEmbedded
import RaftWire
import Testing

@testable import RaftTransport

/// How the stream on the event loop and the consumer in its task share the books of a pipeline.
@Suite struct PipelineReadingTests {
  private let loop = EmbeddedEventLoop()

  private func pipeline(depth: Int) throws -> PipelineCore {
    try PipelineCore.open(
      on: Link(id: LinkID(rawValue: 1), eventLoop: loop), peer: "b", depth: depth, group: 0,
      encoder: WireEncoder(profile: .default), limits: MessageLimits(maximumMessageBytes: 1 << 20),
      timeout: nil)
  }

  @Test("room that the consumer makes while answers are read is known when they are delivered")
  func roomMadeMeanwhileIsKnown() async throws {
    let pipeline = try pipeline(depth: 10)
    for term in 0..<9 { _ = try await pipeline.send(AppendEntriesRequest(term: UInt64(term))) }
    let answer = Result<AppendEntriesResponse, TransportError>.success(AppendEntriesResponse(success: true))

    #expect(pipeline.readAllowance == 9)
    #expect(pipeline.received(Array(repeating: answer, count: 4)) == 5)
    // The stream begins to read as many as are allowed now; before it delivers them the consumer takes two, which is
    // no news to the stream, because there was room all the while.
    let allowance = pipeline.readAllowance
    _ = await pipeline.nextAnswered()
    _ = await pipeline.nextAnswered()
    #expect(pipeline.received(Array(repeating: answer, count: allowance)) == 2)
  }

  @Test("more answers than requests are found out")
  func surplusAnswers() async throws {
    let pipeline = try pipeline(depth: 10)
    _ = try await pipeline.send(AppendEntriesRequest(term: 1))
    let answer = Result<AppendEntriesResponse, TransportError>.success(AppendEntriesResponse(success: true))
    #expect(pipeline.received([answer, answer]) == nil)
  }
}
