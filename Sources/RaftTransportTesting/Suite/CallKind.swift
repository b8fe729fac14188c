internal import NIOCore
internal import RaftTransport

extension TransportSuite {
  /// The five RPCs, for checks that hold for each of them.
  enum CallKind: String, CaseIterable, Sendable {
    case appendEntries
    case requestVote
    case requestPreVote
    case installSnapshot
    case timeoutNow

    /// Makes a call of this kind; the answer is wrapped so that kinds can be compared.
    func perform(
      on transport: any Transport, id: ServerID, target: ServerAddress
    ) async throws -> RemoteError.Response {
      switch self {
      case .appendEntries:
        let request = AppendEntriesRequest(term: 3, previousLogIndex: 1)
        return .appendEntries(try await transport.appendEntries(id: id, target: target, request))
      case .requestVote:
        let request = RequestVoteRequest(term: 3)
        return .requestVote(try await transport.requestVote(id: id, target: target, request))
      case .requestPreVote:
        let request = RequestPreVoteRequest(term: 3)
        return .requestPreVote(try await transport.requestPreVote(id: id, target: target, request))
      case .installSnapshot:
        let request = InstallSnapshotRequest(snapshotVersion: 1, term: 3, size: 3)
        let source = SnapshotSource(ByteBuffer(string: "abc"))
        return .installSnapshot(
          try await transport.installSnapshot(id: id, target: target, request, data: source))
      case .timeoutNow:
        return .timeoutNow(try await transport.timeoutNow(id: id, target: target, TimeoutNowRequest()))
      }
    }

    /// A response of this kind that differs from a zero value.
    var sampleResponse: RemoteError.Response {
      let header = RPCHeader(
        protocolVersion: 3, id: ByteBuffer(string: "voter"), address: ByteBuffer(string: "10.0.0.1:1"))
      return switch self {
      case .appendEntries:
        .appendEntries(AppendEntriesResponse(header: header, term: 4, lastLog: 90, success: true))
      case .requestVote: .requestVote(RequestVoteResponse(header: header, term: 4, granted: true))
      case .requestPreVote: .requestPreVote(RequestPreVoteResponse(header: header, term: 4, granted: true))
      case .installSnapshot: .installSnapshot(InstallSnapshotResponse(header: header, term: 4, success: true))
      case .timeoutNow: .timeoutNow(TimeoutNowResponse(header: header))
      }
    }
  }
}

extension IncomingRPC {
  var kind: TransportSuite.CallKind {
    switch self.command {
    case .appendEntries: .appendEntries
    case .requestVote: .requestVote
    case .requestPreVote: .requestPreVote
    case .installSnapshot: .installSnapshot
    case .timeoutNow: .timeoutNow
    }
  }

  /// Answers with the sample response of this RPC's kind, beside an error if one is given.
  @discardableResult
  func answerWithSample(error: String? = nil) -> Bool {
    switch (self.command, self.kind.sampleResponse) {
    case (.appendEntries(_, let responder), .appendEntries(let response)):
      responder.answer(response, error)
    case (.requestVote(_, let responder), .requestVote(let response)):
      responder.answer(response, error)
    case (.requestPreVote(_, let responder), .requestPreVote(let response)):
      responder.answer(response, error)
    case (.installSnapshot(_, _, let responder), .installSnapshot(let response)):
      responder.answer(response, error)
    case (.timeoutNow(_, let responder), .timeoutNow(let response)):
      responder.answer(response, error)
    default:
      preconditionFailure("a sample response of another kind")
    }
  }
}

extension Responder {
  fileprivate func answer(_ response: Response, _ error: String?) -> Bool {
    if let error { return self.fail(error, response: response) }
    return self.succeed(response)
  }
}
