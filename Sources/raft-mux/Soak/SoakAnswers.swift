import NIOCore
import RaftTransport

/// What a node does with the requests that it gets: compares them with what they should be, and answers.
enum SoakAnswers {
  enum Manner {
    case atOnce
    case late(Duration)
    /// A snapshot, which takes its time.
    case asItComes
  }

  static func manner(of rpc: IncomingRPC) -> Manner {
    if case .installSnapshot = rpc.command { return .asItComes }
    guard let number = number(of: rpc) else { return .atOnce }
    var choices = SoakChoices(seed: number, stream: 3)
    return choices.once(in: 50) ? .late(choices.milliseconds(1...20)) : .atOnce
  }

  private static func number(of rpc: IncomingRPC) -> UInt64? {
    switch rpc.command {
    case .appendEntries(let request, _): SoakRequests.number(of: request.header)
    case .requestVote(let request, _): SoakRequests.number(of: request.header)
    case .requestPreVote(let request, _): SoakRequests.number(of: request.header)
    case .timeoutNow(let request, _): SoakRequests.number(of: request.header)
    case .installSnapshot(let request, _, _): SoakRequests.number(of: request.header)
    }
  }

  /// Answers everything but snapshots. Once in a while the responder is dropped, as by a handler that fails.
  static func answer(_ rpc: IncomingRPC, _ ledger: SoakLedger) {
    let number = number(of: rpc)
    ledger.saw(number, isRight: number.map { isRight(rpc, $0) } ?? false)
    if let number {
      var choices = SoakChoices(seed: number, stream: 4)
      if choices.once(in: 1_000) { return }
    }
    ledger.processed(number)
    switch rpc.command {
    case .appendEntries(let request, let responder):
      responder.succeed(
        AppendEntriesResponse(
          header: request.header, term: request.term, lastLog: request.previousLogIndex, success: true))
    case .requestVote(let request, let responder):
      responder.succeed(RequestVoteResponse(header: request.header, term: request.term, granted: true))
    case .requestPreVote(let request, let responder):
      responder.succeed(RequestPreVoteResponse(header: request.header, term: request.term, granted: true))
    case .timeoutNow(let request, let responder):
      responder.succeed(TimeoutNowResponse(header: request.header))
    case .installSnapshot(_, _, let responder):
      responder.fail("snapshots are answered elsewhere")
    }
  }

  private static func isRight(_ rpc: IncomingRPC, _ number: UInt64) -> Bool {
    switch rpc.command {
    case .appendEntries(let request, _):
      request == (request.entries == nil ? SoakRequests.heartbeat(number) : SoakRequests.append(number))
    case .requestVote(let request, _): request == SoakRequests.vote(number)
    case .requestPreVote(let request, _): request == SoakRequests.preVote(number)
    case .timeoutNow(let request, _): request == SoakRequests.timeoutNow(number)
    case .installSnapshot(let request, _, _): request == SoakRequests.snapshot(number)
    }
  }

  /// Reads a snapshot and compares every byte, or refuses it after a part, by chance.
  static func takeSnapshot(_ rpc: IncomingRPC, _ ledger: SoakLedger) async {
    guard case .installSnapshot(let request, let body, let responder) = rpc.command else { return }
    let number = SoakRequests.number(of: request.header)
    ledger.saw(number, isRight: number.map { request == SoakRequests.snapshot($0) } ?? false)
    guard let number else { return }
    var choices = SoakChoices(seed: number, stream: 5)
    let patience = choices.once(in: 20) ? request.size / 2 : .max
    do {
      var offset: Int64 = 0
      for try await piece in body {
        if piece != SoakBytes.piece(of: number, at: UInt64(offset), count: piece.readableBytes) {
          return ledger.sawWrongBytes(number, at: offset)
        }
        offset += Int64(piece.readableBytes)
        if offset > patience {
          responder.fail("enough of it")
          return
        }
      }
      if offset != request.size { ledger.sawWrongBytes(number, at: offset) }
      ledger.processed(number, snapshotBytes: offset)
      responder.succeed(InstallSnapshotResponse(header: request.header, term: request.term, success: true))
    } catch {
      responder.fail("the snapshot could not be read: \(error)")
    }
  }
}
