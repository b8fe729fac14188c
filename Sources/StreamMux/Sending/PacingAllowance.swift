internal import NIOCore

/// What bulk may send at once: earned at a speed somewhat above the path's rate, and no more of it kept than a few
/// milliseconds' worth.
///
/// A bound on what is outstanding alone would let go at once what a credit, a pause or a late wake-up had kept back,
/// and that much would stand in the path's queue for a round trip.
struct PacingAllowance: Equatable, Sendable {
  private struct Known: Equatable {
    let time: NIODeadline
    let sent: UInt64
    let bytes: Double
  }

  private var known: Known?

  /// - Parameters:
  ///   - sent: bytes handed out since the connection began.
  ///   - speed: at which the allowance grows, in bytes per second.
  ///   - most: the greatest allowance, in bytes.
  /// - Returns: bytes that may be sent now; negative where more went already.
  mutating func renew(sent: UInt64, speed: Double, most: Double, now: NIODeadline) -> Double {
    var bytes = most
    if let known, speed.isFinite {
      let earned = speed * Double(max(now - known.time, .zero).nanoseconds) / 1e9
      let spent = Double(sent > known.sent ? sent - known.sent : 0)
      bytes = min(known.bytes + earned - spent, most)
    }
    known = Known(time: now, sent: sent, bytes: bytes)
    return bytes
  }
}
