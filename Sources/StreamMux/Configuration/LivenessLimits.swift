package import NIOCore

/// When a peer is asked, and when it is given up.
package struct LivenessLimits: Equatable, Sendable {
  /// Silence after which the peer is asked, 10 ms...1 h; each time changed by up to ``jitterPercent``.
  package private(set) var silenceBeforePing = TimeAmount.seconds(1)
  /// 0...50: so that a thousand connections do not ask in the same moment.
  package private(set) var jitterPercent = 20
  /// The least silence after which the peer is dead, 20 ms...24 h, above ``silenceBeforePing``.
  package private(set) var deadAfter = TimeAmount.seconds(5)
  /// The same in smoothed round trips, 1...1,000: the longer of the two counts.
  package private(set) var deadRoundTrips = 8
  /// The least time between the two GOAWAYs of a drain, 0...1 min. One round trip if that is longer.
  package private(set) var drainPause = TimeAmount.milliseconds(50)

  private init() {}

  package static let defaults = LivenessLimits()

  /// - Throws: ``ConfigurationError`` for the first field that is out of range.
  package init(
    silenceBeforePing: TimeAmount = defaults.silenceBeforePing,
    jitterPercent: Int = defaults.jitterPercent,
    deadAfter: TimeAmount = defaults.deadAfter,
    deadRoundTrips: Int = defaults.deadRoundTrips,
    drainPause: TimeAmount = defaults.drainPause
  ) throws(ConfigurationError) {
    self.silenceBeforePing = silenceBeforePing
    self.jitterPercent = jitterPercent
    self.deadAfter = deadAfter
    self.deadRoundTrips = deadRoundTrips
    self.drainPause = drainPause

    try ConfigurationError.check(
      silenceBeforePing, "silenceBeforePing", in: .milliseconds(10)...(.hours(1)))
    try ConfigurationError.check(jitterPercent, "jitterPercent", in: 0...50)
    // Above the longest wait before a PING, or a peer would be dead before it was asked.
    let longestWait = TimeAmount.nanoseconds(
      silenceBeforePing.nanoseconds / 100 * Int64(100 + jitterPercent))
    try ConfigurationError.check(
      deadAfter, "deadAfter", in: max(.milliseconds(20), longestWait)...(.hours(24)))
    try ConfigurationError.check(deadRoundTrips, "deadRoundTrips", in: 1...1_000)
    try ConfigurationError.check(drainPause, "drainPause", in: .zero...(.minutes(1)))
  }
}
