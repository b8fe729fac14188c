internal import RaftTransport

extension TransportSuite {
  /// A pair under check, with the words in which checks are written.
  struct Scene: Sendable {
    let pair: Pair
    let options: Options

    var caller: any Transport { self.pair.caller }
    var callee: any Transport { self.pair.callee }
    var id: ServerID { self.pair.calleeID }
    var address: ServerAddress { self.pair.calleeAddress }

    // MARK: Calling

    func append(_ request: AppendEntriesRequest) async throws -> AppendEntriesResponse {
      try await self.caller.appendEntries(id: self.id, target: self.address, request)
    }

    func vote(_ request: RequestVoteRequest) async throws -> RequestVoteResponse {
      try await self.caller.requestVote(id: self.id, target: self.address, request)
    }

    func preVote(_ request: RequestPreVoteRequest) async throws -> RequestPreVoteResponse {
      try await self.caller.requestPreVote(id: self.id, target: self.address, request)
    }

    func timeoutNow(_ request: TimeoutNowRequest) async throws -> TimeoutNowResponse {
      try await self.caller.timeoutNow(id: self.id, target: self.address, request)
    }

    func snapshot(
      _ request: InstallSnapshotRequest, _ source: SnapshotSource
    ) async throws -> InstallSnapshotResponse {
      try await self.caller.installSnapshot(id: self.id, target: self.address, request, data: source)
    }

    func pipeline() async throws -> any AppendPipeline {
      try await self.caller.appendEntriesPipeline(id: self.id, target: self.address)
    }

    // MARK: Answering

    /// The next RPC at the callee.
    func next(file: String = #fileID, line: Int = #line) async throws -> IncomingRPC {
      guard let rpc = await self.callee.consumer.makeAsyncIterator().next() else {
        throw Failure(
          expected: "an RPC at the callee", actual: "the end of its consumer", file: file, line: line)
      }
      return rpc
    }

    func nextAppend(
      file: String = #fileID, line: Int = #line
    ) async throws -> (request: AppendEntriesRequest, responder: Responder<AppendEntriesResponse>) {
      let rpc = try await self.next(file: file, line: line)
      guard case .appendEntries(let request, let responder) = rpc.command else {
        throw Self.unexpected(rpc, insteadOf: "AppendEntries", file: file, line: line)
      }
      return (request, responder)
    }

    func nextSnapshot(
      file: String = #fileID, line: Int = #line
    ) async throws -> (
      request: InstallSnapshotRequest, body: SnapshotBody, responder: Responder<InstallSnapshotResponse>
    ) {
      let rpc = try await self.next(file: file, line: line)
      guard case .installSnapshot(let request, let body, let responder) = rpc.command else {
        throw Self.unexpected(rpc, insteadOf: "InstallSnapshot", file: file, line: line)
      }
      return (request, body, responder)
    }

    static func unexpected(
      _ rpc: IncomingRPC, insteadOf kind: String, file: String = #fileID, line: Int = #line
    ) -> Failure {
      Failure(expected: "\(kind) at the callee", actual: "\(rpc.command)", file: file, line: line)
    }

    /// Proves that the pair still works: one append there and back.
    func proveAlive(_ occasion: String, file: String = #fileID, line: Int = #line) async throws {
      let request = AppendEntriesRequest(term: 77, previousLogIndex: 7, leaderCommitIndex: 1)
      async let answer = self.outcome { try await self.append(request) }
      while true {
        let received = try await self.nextAppend(file: file, line: line)
        // Requests of calls that were given up may still be there; nobody waits for their answers.
        guard received.request == request else { continue }
        received.responder.succeed(AppendEntriesResponse(term: 78, success: true))
        break
      }
      let response = try self.value(await answer, "an append \(occasion)", file: file, line: line)
      try self.expect(response.term, equals: 78, "the term of an append \(occasion)", file: file, line: line)
    }

    // MARK: Judging

    func outcome<Value: Sendable>(
      _ operation: @Sendable () async throws -> Value
    ) async -> Result<Value, any Error> {
      do { return .success(try await operation()) } catch { return .failure(error) }
    }

    func expect<Value: Equatable>(
      _ actual: Value, equals expected: Value, _ what: String, file: String = #fileID, line: Int = #line
    ) throws {
      guard actual == expected else {
        throw Failure(expected: "\(what): \(expected)", actual: "\(actual)", file: file, line: line)
      }
    }

    func expect(
      _ condition: Bool, _ what: String, found: String, file: String = #fileID, line: Int = #line
    ) throws {
      guard condition else { throw Failure(expected: what, actual: found, file: file, line: line) }
    }

    func value<Value>(
      _ outcome: Result<Value, any Error>, _ what: String, file: String = #fileID, line: Int = #line
    ) throws -> Value {
      switch outcome {
      case .success(let value):
        return value
      case .failure(let error):
        throw Failure(expected: "\(what) to succeed", actual: "the error \(error)", file: file, line: line)
      }
    }

    /// The error of a call, which must be of one of the given kinds and say the given of its delivery.
    @discardableResult
    func error<Value>(
      _ outcome: Result<Value, any Error>, _ what: String, codes: [TransportError.Code],
      delivery: [TransportError.Delivery], file: String = #fileID, line: Int = #line
    ) throws -> TransportError {
      let expectation =
        "\(what) to fail with \(codes.map(\.description).joined(separator: " or ")), "
        + "delivery \(delivery.map { "\($0)" }.joined(separator: " or "))"
      switch outcome {
      case .success(let value):
        throw Failure(expected: expectation, actual: "\(value)", file: file, line: line)
      case .failure(let error as TransportError):
        guard codes.contains(error.code), delivery.contains(error.delivery) else {
          throw Failure(
            expected: expectation, actual: "\(error.code), delivery \(error.delivery): \(error)", file: file,
            line: line)
        }
        return error
      case .failure(let error):
        throw Failure(
          expected: expectation, actual: "another type of error: \(error)", file: file, line: line)
      }
    }
  }
}
