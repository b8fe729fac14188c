import NIOCore

/// How far we are with reaching one address.
struct DialRecord {
  /// A call that waits until the address is reached.
  struct Waiter {
    let ticket: CallTicket
    /// The server that the call wants there; empty for whoever answers.
    let id: ServerID
  }

  enum State {
    /// Nothing is under way; the next call dials.
    case idle
    /// A connection is being made, to the server that the first waiting call wants there.
    case dialling(LinkID, target: ServerID)
    /// The peer refused our connection because another one joins us already; that one is about to be established.
    case awaitingWinner(ServerID, until: NIODeadline)
    /// The address failed more than once; until then calls fail at once.
    case pausing(until: NIODeadline, TransportError)
  }

  var state = State.idle
  var waiters: [Waiter] = []
  /// Failures in a row.
  var failures = 0

  /// Whether there is nothing in it worth keeping.
  var isForgettable: Bool {
    guard waiters.isEmpty, failures == 0, case .idle = state else { return false }
    return true
  }
}

/// How long an address that failed is left alone.
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
