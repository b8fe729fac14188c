package import NIOCore

/// What a connection knows of its path.
///
/// The one place for such knowledge: windows, the scheduler and liveness read it and keep no estimates of
/// their own.
package struct PathModel: Equatable, Sendable {
  private var estimator = RoundTripEstimator()

  package init() {}

  /// A PING was answered.
  package mutating func measured(_ roundTrip: TimeAmount) {
    estimator.sample(roundTrip)
  }

  /// The round-trip estimator, for the keep-alive's patience.
  package var roundTrip: RoundTripEstimator { estimator }

  /// nil before the first measurement.
  package var smoothedRoundTrip: TimeAmount? { estimator.smoothed }

  /// nil before the first measurement.
  package var minimumRoundTrip: TimeAmount? { estimator.minimum }
}
