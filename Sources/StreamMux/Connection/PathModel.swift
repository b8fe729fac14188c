internal import DequeModule
package import NIOCore

/// What a connection knows of its path.
///
/// The one place for such knowledge: windows, the scheduler and liveness read it and keep no estimates of
/// their own.
package struct PathModel: Equatable, Sendable {
  /// How many measurements the recent minimum looks back: more than a minute at one in five seconds. A route
  /// that became longer must be believed some day, or windows computed from the old one would strangle it.
  static let recentMeasurements = 16

  /// How many measurements have to agree that a route became longer.
  static let agreeingMeasurements = 3

  private var estimator = RoundTripEstimator()
  private var recent: Deque<TimeAmount> = []
  private var rates = PerClass<RateHistory> { _ in RateHistory() }

  /// The narrowest place, as far as the system's figures show it.
  package var bottleneck = BottleneckModel()

  package init() {}

  /// A PING was answered.
  package mutating func measured(_ roundTrip: TimeAmount) {
    estimator.sample(roundTrip)
    if recent.count == Self.recentMeasurements { recent.removeFirst() }
    recent.append(max(.zero, roundTrip))
    recentMinimum = recent.min()
  }

  /// A stream was consumed at this rate, in bytes per second, while its sender had more.
  package mutating func consumed(_ rate: Double, _ trafficClass: TrafficClass) {
    rates[trafficClass].append(rate)
  }

  /// The fastest of the last epochs of all streams of the class, in bytes per second; nil before the first.
  package func rate(_ trafficClass: TrafficClass) -> Double? { rates[trafficClass].highest }

  /// Whether each of the last round trips was at least half as long again as the least that is remembered: the route
  /// became longer, or a queue stands.
  package var mayHaveBecomeLonger: Bool {
    guard let recentMinimum, recent.count > Self.agreeingMeasurements else { return false }
    return recent.suffix(Self.agreeingMeasurements).allSatisfy {
      $0 >= .nanoseconds(recentMinimum.nanoseconds * 3 / 2)
    }
  }

  /// The route became longer: what was measured on the old one is over.
  package mutating func forgetOldRoute() {
    recent.removeFirst(max(0, recent.count - Self.agreeingMeasurements))
    recentMinimum = recent.min()
  }

  /// The least of the last round trips; nil before the first measurement.
  package private(set) var recentMinimum: TimeAmount?

  /// The round-trip estimator, for the keep-alive's patience.
  package var roundTrip: RoundTripEstimator { estimator }

  /// nil before the first measurement.
  package var smoothedRoundTrip: TimeAmount? { estimator.smoothed }

  /// nil before the first measurement.
  package var minimumRoundTrip: TimeAmount? { estimator.minimum }
}
