package import NIOCore

/// The smoothed round trip and its variation as RFC 6298 computes them, and the least that was ever seen
/// (R-LIV-9).
package struct RoundTripEstimator: Equatable, Sendable {
  /// nil until the first sample.
  package private(set) var smoothed: TimeAmount?
  package private(set) var variation: TimeAmount = .zero
  package private(set) var minimum: TimeAmount?
  package private(set) var latest: TimeAmount?

  package init() {}

  /// Takes a sample. One below zero, from a clock that went backwards, counts as zero.
  package mutating func sample(_ measured: TimeAmount) {
    let roundTrip = max(.zero, measured)
    latest = roundTrip
    minimum = min(minimum ?? roundTrip, roundTrip)
    guard let previous = smoothed else {
      smoothed = roundTrip
      variation = .nanoseconds(roundTrip.nanoseconds / 2)
      return
    }
    // The variation comes first: it is measured against the estimate before this sample.
    let deviation = abs(previous.nanoseconds - roundTrip.nanoseconds)
    variation = .nanoseconds(variation.nanoseconds + (deviation - variation.nanoseconds) / 4)
    smoothed = .nanoseconds(previous.nanoseconds + (roundTrip.nanoseconds - previous.nanoseconds) / 8)
  }
}
