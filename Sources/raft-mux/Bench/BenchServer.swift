import NIOCore
import RaftTransport

/// The answering side of this package's transport: reads every byte and answers with its checksum.
///
/// Votes and heartbeats are answered with how many bytes of snapshots it has read, in the place of the term: so the
/// calling side knows what really arrives beside them.
struct BenchServer: Sendable {
  static let serverID = id(0)

  /// Of the transport with this number in an answering process.
  static func id(_ number: Int) -> ServerID { ServerID("server-\(number)") }

  let transport: any Transport
  private let snapshotBytes = Tally()

  init(transport: any Transport) {
    self.transport = transport
  }

  /// Answers until the transport is closed.
  func run() async {
    transport.setHeartbeatHandler { answer($0) }
    await withDiscardingTaskGroup { group in
      for await rpc in transport.consumer {
        if case .installSnapshot(_, let body, let responder) = rpc.command {
          group.addTask { await take(body, responder) }
        } else {
          answer(rpc)
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

  @Sendable private func answer(_ rpc: IncomingRPC) {
    switch rpc.command {
    case .appendEntries(let request, let responder):
      responder.succeed(
        AppendEntriesResponse(
          header: request.header, term: UInt64(snapshotBytes.value), lastLog: Self.sum(of: request),
          success: true))
    case .requestVote(let request, let responder):
      responder.succeed(
        RequestVoteResponse(header: request.header, term: UInt64(snapshotBytes.value), granted: true))
    case .requestPreVote, .timeoutNow, .installSnapshot:
      rpc.fail("this is not measured")
    }
  }

  private func take(_ body: SnapshotBody, _ responder: Responder<InstallSnapshotResponse>) async {
    do {
      var sum = WordSum()
      for try await piece in body {
        sum.update(piece)
        snapshotBytes.add(piece.readableBytes)
      }
      responder.succeed(InstallSnapshotResponse(term: sum.value, success: true))
    } catch {
      responder.fail("the snapshot cannot be read: \(error)")
    }
  }
}
