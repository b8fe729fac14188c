import RaftTransport

/// Answers the RPCs that reach a node.
struct NodeAnswers: Sendable {
  let header: RPCHeader
  let inbox: Inbox

  /// Answers until the transport is closed. Appends and votes are answered in the order of their arrival, snapshots
  /// beside them, so that their length holds nothing up.
  func serve(_ rpcs: IncomingRPCs) async {
    await withDiscardingTaskGroup { snapshots in
      for await rpc in rpcs {
        switch rpc.command {
        case .appendEntries(let request, let responder):
          responder.succeed(self.answer(request))
        case .requestVote(let request, let responder):
          responder.succeed(
            RequestVoteResponse(
              header: self.header, term: DemoTerm.current, granted: self.wouldVote(request.lastLogIndex)))
        case .requestPreVote(let request, let responder):
          responder.succeed(
            RequestPreVoteResponse(
              header: self.header, term: DemoTerm.current, granted: self.wouldVote(request.lastLogIndex)))
        case .installSnapshot(_, let body, let responder):
          snapshots.addTask { await self.install(body, responder) }
        case .timeoutNow(_, let responder):
          responder.succeed(TimeoutNowResponse(header: self.header))
        }
      }
    }
  }

  private func answer(_ request: AppendEntriesRequest) -> AppendEntriesResponse {
    let (success, lastIndex) = self.inbox.append(request)
    return AppendEntriesResponse(
      header: self.header, term: DemoTerm.current, lastLog: lastIndex, success: success)
  }

  private func install(_ body: SnapshotBody, _ responder: Responder<InstallSnapshotResponse>) async {
    do {
      try await self.inbox.install(body)
      responder.succeed(
        InstallSnapshotResponse(header: self.header, term: DemoTerm.current, success: true))
    } catch {
      responder.fail("\(error)")
    }
  }

  /// Raft's rule: only a candidate whose log is as long as one's own gets a vote.
  private func wouldVote(_ lastLogIndex: UInt64) -> Bool {
    lastLogIndex >= self.inbox.lastIndex
  }
}
