package import NIOCore

/// A budget that allows a burst and comes back at a rate. Time is an argument; exact in whole nanoseconds.
package struct TokenBucket: Equatable, Sendable {
  /// Tokens at rest.
  private let burst: UInt64
  private let perSecond: UInt64
  /// Billionths of a token, so that a rate per second is a rate per nanosecond.
  private var level: UInt64
  private var updated: NIODeadline

  private static let scale: UInt64 = 1_000_000_000

  /// - Parameters:
  ///   - burst: tokens, 1...2^33.
  ///   - perSecond: tokens, at least 1.
  package init(burst: Int, perSecond: Int, now: NIODeadline) {
    precondition(burst >= 1 && burst <= 1 << 33 && perSecond >= 1, "a bucket needs a burst and a rate")
    self.burst = UInt64(burst)
    self.perSecond = UInt64(perSecond)
    level = UInt64(burst) * Self.scale
    updated = now
  }

  /// Takes `count` tokens if they are there.
  ///
  /// - Returns: false, and nothing was taken, if they are not.
  package mutating func take(_ count: Int = 1, now: NIODeadline) -> Bool {
    precondition(count >= 0, "tokens are not given back")
    refill(now: now)
    let (cost, overflow) = UInt64(count).multipliedReportingOverflow(by: Self.scale)
    guard !overflow, cost <= level else { return false }
    level -= cost
    return true
  }

  /// When `count` tokens will be there; `now` if they are, nil if they never fit.
  package mutating func availability(of count: Int, now: NIODeadline) -> NIODeadline? {
    precondition(count >= 0, "tokens are not given back")
    refill(now: now)
    guard UInt64(count) <= burst else { return nil }
    let cost = UInt64(count) * Self.scale
    guard cost > level else { return now }
    let wait = (cost - level + perSecond - 1) / perSecond
    return now + .nanoseconds(Int64(clamping: wait))
  }

  private mutating func refill(now: NIODeadline) {
    // A clock that goes backwards gives nothing.
    guard now > updated else { return }
    let elapsed = UInt64((now - updated).nanoseconds)
    updated = now
    let full = burst * Self.scale
    let (gain, overflow) = elapsed.multipliedReportingOverflow(by: perSecond)
    level = overflow || gain >= full - level ? full : level + gain
  }
}
