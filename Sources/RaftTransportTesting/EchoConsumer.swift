internal import NIOCore
public import RaftTransport
internal import Synchronization

/// Answers every RPC of a transport, as a follower would that agrees with everything.
///
/// The answers carry the requests' values back: the header and the term, for AppendEntries the index of the
/// last entry, granted votes. A snapshot is read to its end. It stops with ``stop()``, when it is dropped,
/// and when the transport is closed.
public final class EchoConsumer: Sendable {
  /// How many RPCs of each kind were answered.
  public struct Counts: Sendable, Hashable {
    /// AppendEntries, heartbeats included.
    public var appendEntries = 0
    /// RequestVote.
    public var requestVote = 0
    /// RequestPreVote.
    public var requestPreVote = 0
    /// InstallSnapshot.
    public var installSnapshot = 0
    /// TimeoutNow.
    public var timeoutNow = 0
    /// Bytes of all snapshots' bodies.
    public var snapshotBytes: Int64 = 0
  }

  /// Shared with the task, which must not keep its owner alive.
  private final class Tally: Sendable {
    let counts = Mutex(Counts())
  }

  private let tally: Tally
  private let task: Task<Void, Never>

  /// Starts to answer what comes to a transport.
  public init(_ transport: any Transport) {
    let tally = Tally()
    let consumer = transport.consumer
    self.tally = tally
    self.task = Task {
      // Snapshots take their time; nothing else waits for them.
      await withDiscardingTaskGroup { group in
        for await rpc in consumer {
          if case .installSnapshot(let request, let body, let responder) = rpc.command {
            group.addTask { await Self.take(request, body, responder, tally) }
          } else {
            Self.answer(rpc, tally)
          }
        }
      }
    }
  }

  deinit {
    self.task.cancel()
  }

  /// What was answered until now.
  public var counts: Counts { self.tally.counts.withLock { $0 } }

  /// Ends the task and waits for it; snapshots that are being read are given up.
  public func stop() async {
    self.task.cancel()
    await self.task.value
  }

  private static func answer(_ rpc: IncomingRPC, _ tally: Tally) {
    switch rpc.command {
    case .appendEntries(let request, let responder):
      tally.counts.withLock { $0.appendEntries += 1 }
      responder.succeed(Self.response(to: request))
    case .requestVote(let request, let responder):
      tally.counts.withLock { $0.requestVote += 1 }
      responder.succeed(RequestVoteResponse(header: request.header, term: request.term, granted: true))
    case .requestPreVote(let request, let responder):
      tally.counts.withLock { $0.requestPreVote += 1 }
      responder.succeed(RequestPreVoteResponse(header: request.header, term: request.term, granted: true))
    case .timeoutNow(let request, let responder):
      tally.counts.withLock { $0.timeoutNow += 1 }
      responder.succeed(TimeoutNowResponse(header: request.header))
    case .installSnapshot:
      break
    }
  }

  /// The answer of this consumer to an AppendEntries request.
  public static func response(to request: AppendEntriesRequest) -> AppendEntriesResponse {
    AppendEntriesResponse(
      header: request.header, term: request.term,
      lastLog: request.previousLogIndex &+ UInt64(request.entries?.count ?? 0), success: true)
  }

  private static func take(
    _ request: InstallSnapshotRequest, _ body: SnapshotBody, _ responder: Responder<InstallSnapshotResponse>,
    _ tally: Tally
  ) async {
    do {
      var bytes: Int64 = 0
      for try await piece in body { bytes += Int64(piece.readableBytes) }
      tally.counts.withLock { counts in
        counts.installSnapshot += 1
        counts.snapshotBytes += bytes
      }
      responder.succeed(InstallSnapshotResponse(header: request.header, term: request.term, success: true))
    } catch {
      responder.fail("the snapshot could not be read: \(error)")
    }
  }
}

/// Answers every RPC of a transport for the length of a closure.
public func withEchoConsumer<Result>(
  _ transport: any Transport, isolation: isolated (any Actor)? = #isolation,
  _ body: (EchoConsumer) async throws -> Result
) async throws -> Result {
  let consumer = EchoConsumer(transport)
  do {
    let result = try await body(consumer)
    await consumer.stop()
    return result
  } catch {
    await consumer.stop()
    throw error
  }
}
