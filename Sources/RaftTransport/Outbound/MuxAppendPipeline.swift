import RaftWire

/// A pipeline on one long stream (upstream's `netPipeline`). It closes itself when nobody holds it, or its consumer,
/// any more.
final class MuxAppendPipeline: AppendPipeline {
  private let core: PipelineCore

  init(core: PipelineCore) {
    self.core = core
  }

  deinit {
    core.close()
  }

  func appendEntries(_ request: AppendEntriesRequest) async throws -> AppendFuture {
    try await core.send(request)
  }

  var consumer: AppendFutures {
    AppendFutures { await self.core.nextAnswered() }
  }

  func close() async {
    core.close()
  }
}
