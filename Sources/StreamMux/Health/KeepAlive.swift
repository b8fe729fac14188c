package import NIOCore

/// Tells when to ask a silent peer, and when to give it up.
///
/// Three clocks run: one since the last byte came in, one since the socket last took a byte while there was
/// one to take, and one since the round trip was last measured (R-LIV-4 to R-LIV-8, R-LIV-11).
package struct KeepAlive: Equatable, Sendable {
  package enum Action: Equatable, Sendable {
    case none
    case sendPing
    case giveUp(Cause)
  }

  package enum Cause: Hashable, Sendable {
    /// Nothing was received.
    case silence
    /// The socket took nothing of what waits.
    case noWriteProgress
  }

  /// How often the round trip is measured at least (R-LIV-11).
  static let measurementInterval = TimeAmount.seconds(5)

  /// The longest silence that slow answers earn (R-LIV-10): an answer that a partition held up says nothing
  /// about the path that is back, and must not make the next partition harder to see.
  static let longestPatience = TimeAmount.seconds(60)

  private let limits: LivenessLimits
  private var jitter: SplitMix64
  private var lastReceived: NIODeadline
  /// nil: this silence was asked about already.
  private var pingDue: NIODeadline?
  /// Since when bytes wait that the socket does not take; nil: none wait.
  private var stalledSince: NIODeadline?
  /// A connection that is never silent is asked now and then all the same, to know its round trip.
  private var measurementDue: NIODeadline
  /// After this much silence the peer is dead.
  private var patience: TimeAmount

  package init(limits: LivenessLimits, seed: UInt64, now: NIODeadline) {
    self.limits = limits
    jitter = SplitMix64(seed: seed)
    lastReceived = now
    patience = limits.deadAfter
    pingDue = nil
    measurementDue = now + Self.measurementInterval
    schedulePing()
  }

  /// Bytes came in, whatever they say.
  package mutating func received(now: NIODeadline) {
    lastReceived = max(lastReceived, now)
    schedulePing()
  }

  /// A round trip was measured: a slow path is given more time.
  package mutating func measured(_ roundTrip: RoundTripEstimator, now: NIODeadline) {
    measurementDue = max(measurementDue, now + Self.measurementInterval)
    guard let smoothed = roundTrip.smoothed else { return }
    let (several, overflow) = smoothed.nanoseconds.multipliedReportingOverflow(
      by: Int64(limits.deadRoundTrips))
    let earned = overflow ? Self.longestPatience : min(.nanoseconds(several), Self.longestPatience)
    patience = max(limits.deadAfter, earned)
  }

  /// There is something to send; calls while there already was change nothing.
  package mutating func outputPending(now: NIODeadline) {
    if stalledSince == nil { stalledSince = now }
  }

  /// The socket took bytes.
  ///
  /// - Parameter stillPending: whether more wait.
  package mutating func transmitted(stillPending: Bool, now: NIODeadline) {
    stalledSince = stillPending ? now : nil
  }

  /// When ``handleTimeout(now:)`` has something to do.
  package var deadline: NIODeadline {
    var earliest = lastReceived + patience
    if let pingDue { earliest = min(earliest, pingDue, measurementDue) }
    if let stalledSince { earliest = min(earliest, stalledSince + patience) }
    return earliest
  }

  /// Early calls are harmless.
  package mutating func handleTimeout(now: NIODeadline) -> Action {
    if now >= lastReceived + patience { return .giveUp(.silence) }
    if let stalledSince, now >= stalledSince + patience { return .giveUp(.noWriteProgress) }
    // One question per silence: it is delivered or the path is dead, and asking again proves nothing.
    guard let pingDue else { return .none }
    if now >= pingDue {
      self.pingDue = nil
    } else if now < measurementDue {
      return .none
    }
    measurementDue = now + Self.measurementInterval
    return .sendPing
  }

  private mutating func schedulePing() {
    pingDue = lastReceived + jitter.jittered(limits.silenceBeforePing, byPercent: limits.jitterPercent)
  }
}
