/// Keeps several AppendEntries requests under way to one peer, in order: upstream's `AppendPipeline`.
public protocol AppendPipeline: Sendable {
  /// Sends a request; returns when there is room for another one.
  ///
  /// Requests go out in the order of the calls. With a depth of N (`maxRPCsInFlight`) the Nth request is written and
  /// the call then waits until an earlier one was answered and its future was taken by the consumer's side.
  ///
  /// - Throws: ``TransportError``: `pipelineClosed` after ``close()``, `unencodable` for a request with no form on
  ///   the wire, and what broke the pipeline if it is broken.
  func appendEntries(_ request: AppendEntriesRequest) async throws -> AppendFuture

  /// The futures of the requests, in order, each after it was answered.
  ///
  /// The futures must be taken: a consumer that is left alone holds the pipeline back.
  var consumer: AppendFutures { get }

  /// Ends the pipeline; requests without an answer fail with `pipelineClosed`. Closing twice does nothing.
  func close() async
}

extension Transport {
  /// Opens a pipeline for the length of a closure and closes it afterwards, whatever happens.
  public func withAppendPipeline<Result>(
    id: ServerID, target: ServerAddress,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (any AppendPipeline) async throws -> Result
  ) async throws -> Result {
    let pipeline = try await appendEntriesPipeline(id: id, target: target)
    do {
      let result = try await body(pipeline)
      await pipeline.close()
      return result
    } catch {
      await pipeline.close()
      throw error
    }
  }
}
