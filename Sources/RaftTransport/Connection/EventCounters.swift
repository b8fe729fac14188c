import StreamMux
import Synchronization

/// Counts what happens to the connections of a transport. Per connection and not per frame or call, so that a lock is
/// cheap enough.
final class EventCounters: Sendable {
  private let events = Mutex(TransportStatistics.Events())

  var all: TransportStatistics.Events { events.withLock { $0 } }

  func add(_ field: any WritableKeyPath<TransportStatistics.Events, UInt64> & Sendable) {
    events.withLock { $0[keyPath: field] += 1 }
  }

  func add(_ closure: Closure) {
    events.withLock { events in
      switch closure {
      case .violation(let violation): events.violations[violation.code.label, default: 0] += 1
      case .refused(let refusal): events.refusals[refusal.code.label, default: 0] += 1
      case .refusedByPeer(let refusal): events.refusalsByPeers[refusal.code.label, default: 0] += 1
      case .peerError(let code, _): events.closuresByPeers[code.label, default: 0] += 1
      case .drained: events.closures["drained", default: 0] += 1
      case .endOfInput: events.closures["endOfInput", default: 0] += 1
      case .transportFailed: events.closures["transportFailed", default: 0] += 1
      case .silent: events.closures[ErrorCode.silent.label, default: 0] += 1
      case .local(let code, _):
        events.closures[code.label, default: 0] += 1
        if code == .displaced { events.displacements += 1 }
      }
    }
  }
}

extension ErrorCode {
  /// The code as a key of a table, of which peers must not make up new ones.
  fileprivate var label: String { name ?? "unknown" }
}
