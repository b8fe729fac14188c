import Crypto
import NIOCore
import RaftTransport
import Synchronization

/// What a node has got from its leader: the end of its log, and digests of all that came, in order.
final class Inbox: Sendable {
  private struct State {
    var log = ReceivedLog()
    var lastIndex: UInt64 = 0
    var lastTerm: UInt64 = 0
    var logDigest = SHA256()
    var snapshots = ReceivedSnapshots()
  }

  private let state = Mutex(State())

  /// The index of the last entry taken, 0 before the first.
  var lastIndex: UInt64 { self.state.withLock { $0.lastIndex } }

  /// What came until now.
  var received: (log: ReceivedLog, snapshots: ReceivedSnapshots) {
    self.state.withLock { state in
      var log = state.log
      log.sha256 = state.logDigest.finalize().hexadecimal
      return (log, state.snapshots)
    }
  }

  /// Appends a request's entries, if they follow right after the last one.
  ///
  /// - Returns: Whether they did, and the index of the last entry afterwards.
  func append(_ request: AppendEntriesRequest) -> (success: Bool, lastIndex: UInt64) {
    self.state.withLock { state in
      guard request.previousLogIndex == state.lastIndex, request.previousLogTerm == state.lastTerm else {
        return (false, state.lastIndex)
      }
      for entry in request.entries ?? [] {
        guard let entry, entry.index == state.lastIndex + 1 else { return (false, state.lastIndex) }
        if let data = entry.data {
          state.logDigest.update(data)
          state.log.bytes += UInt64(data.readableBytes)
        }
        state.log.entries += 1
        state.lastIndex = entry.index
        state.lastTerm = entry.term
      }
      return (true, state.lastIndex)
    }
  }

  /// Reads a snapshot to its end; it counts only if it came whole.
  func install(_ body: SnapshotBody) async throws {
    var digest = SHA256()
    for try await piece in body {
      digest.update(piece)
      self.state.withLock { $0.snapshots.bytes += UInt64(piece.readableBytes) }
    }
    let text = digest.finalize().hexadecimal
    self.state.withLock { state in
      state.snapshots.completed += 1
      if !state.snapshots.sha256.contains(text) { state.snapshots.sha256.append(text) }
    }
  }
}
