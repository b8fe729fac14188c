import NIOCore

/// What a call names: an address, and the server that it wants there.
struct DialTarget: Hashable, Comparable {
  let address: ServerAddress
  /// Empty for whoever answers.
  let id: ServerID

  /// An order that is the same in every run.
  static func < (left: DialTarget, right: DialTarget) -> Bool {
    if left.address != right.address {
      return left.address.rawValue.utf8.lexicographicallyPrecedes(right.address.rawValue.utf8)
    }
    return left.id < right.id
  }
}

/// How far we are with reaching one target. Without a record nothing is under way, and the last attempt went well.
struct DialRecord {
  enum State {
    /// Nothing is under way; the next call dials.
    case idle
    /// A connection is being made.
    case dialling(LinkID)
    /// Another connection that joins us with this server is about to be established: ours lost against it, or the peer
    /// was faster than we.
    case awaitingWinner(ServerID, until: NIODeadline)
    /// The last attempt failed; until then calls fail at once.
    case resting(until: NIODeadline, TransportError)
  }

  var state = State.idle
  /// Calls that wait until the target is reached, in the order in which they came.
  var waiters: [CallTicket] = []
  /// Failures in a row.
  var failures = 0
  /// Whether an attempt lost against a connection that proved to be of no use for these calls.
  var hasLost = false
}

/// How long a target that failed is left alone.
struct BackOff {
  let first: TimeAmount
  let longest: TimeAmount

  /// The pause after a number of failures in a row: none after the first, then doubling.
  ///
  /// - Parameter random: 0 to 1; shortens the pause by up to a quarter, so that a cluster's nodes do not all knock
  ///   at the same moment.
  func pause(afterFailures failures: Int, random: Double) -> TimeAmount {
    guard failures > 1 else { return .zero }
    let doublings = min(failures - 2, 30)
    let (product, overflow) = first.nanoseconds.multipliedReportingOverflow(by: Int64(1) << doublings)
    let full = overflow ? longest.nanoseconds : min(product, longest.nanoseconds)
    return .nanoseconds(full - Int64(Double(full) * 0.25 * min(max(random, 0), 1)))
  }
}
