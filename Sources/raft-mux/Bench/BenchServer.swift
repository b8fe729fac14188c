import NIOCore
import RaftTransport

/// The answering side of this package's transport: reads every byte and answers with its checksum.
struct BenchServer: Sendable {
  static let serverID: ServerID = "server"

  let transport: any Transport

  /// Answers until the transport is closed.
  func run() async {
    self.transport.setHeartbeatHandler { Self.answer($0) }
    await withDiscardingTaskGroup { group in
      for await rpc in self.transport.consumer {
        if case .installSnapshot(_, let body, let responder) = rpc.command {
          group.addTask { await Self.take(body, responder) }
        } else {
          Self.answer(rpc)
        }
      }
    }
  }

  static func sum(of request: AppendEntriesRequest) -> UInt64 {
    var sum = WordSum()
    for entry in request.entries ?? [] {
      if let data = entry?.data { sum.update(data) }
    }
    return sum.value
  }

  @Sendable private static func answer(_ rpc: IncomingRPC) {
    switch rpc.command {
    case .appendEntries(let request, let responder):
      responder.succeed(
        AppendEntriesResponse(
          header: request.header, term: request.term, lastLog: Self.sum(of: request), success: true))
    case .requestVote(let request, let responder):
      responder.succeed(RequestVoteResponse(header: request.header, term: request.term, granted: true))
    case .requestPreVote, .timeoutNow, .installSnapshot:
      rpc.fail("this is not measured")
    }
  }

  private static func take(_ body: SnapshotBody, _ responder: Responder<InstallSnapshotResponse>) async {
    do {
      var sum = WordSum()
      for try await piece in body { sum.update(piece) }
      responder.succeed(InstallSnapshotResponse(term: sum.value, success: true))
    } catch {
      responder.fail("the snapshot cannot be read: \(error)")
    }
  }
}
