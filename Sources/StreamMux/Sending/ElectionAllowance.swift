package import NIOCore

/// How much election traffic goes ahead of everything else.
///
/// A token bucket of bytes. Without it a peer (or a bug) could mark everything as an election and starve
/// the rest. What exceeds it is not held back: it takes its turn among the appends (R-SCH-10).
package struct ElectionAllowance: Hashable, Sendable {
  package let burst: Int
  package let bytesPerSecond: Int
  private var tokens: Int
  private var updated: NIODeadline

  package init(burst: Int, bytesPerSecond: Int, now: NIODeadline) {
    precondition(burst > 0 && bytesPerSecond > 0)
    self.burst = burst
    self.bytesPerSecond = bytesPerSecond
    tokens = burst
    updated = now
  }

  /// Whether a frame may go ahead now. A frame may overdraw the bucket once, so its size need not be known.
  package mutating func permits(at now: NIODeadline) -> Bool {
    refill(now)
    return tokens > 0
  }

  package mutating func charge(_ bytes: Int) {
    tokens = max(-burst, tokens - bytes)
  }

  private mutating func refill(_ now: NIODeadline) {
    guard now > updated else { return }
    let elapsed = min((now - updated).nanoseconds, 3_600 * 1_000_000_000)
    let (product, overflow) = elapsed.multipliedReportingOverflow(by: Int64(bytesPerSecond))
    let earned = overflow ? Int64(burst) * 2 : product / 1_000_000_000
    guard earned > 0 else { return }  // Keep the fraction: `updated` stays where it was.
    tokens = min(burst, tokens + Int(min(earned, Int64(burst) * 2)))
    updated = now
  }
}
