package import NIOCore

/// How large the receive window of a stream should be: the one place for the formula (R-FLW-31 to R-FLW-36).
///
/// A window of exactly one bandwidth-delay product leaves the path idle while the credit for the next one is
/// on its way, so it is two of them, of the rate at which the consumer in fact takes bytes. A window that is
/// the limit itself doubles with every epoch by that; one that is not settles; one whose consumer is slow
/// shrinks.
package struct WindowPolicy: Hashable, Sendable {
  /// Below this much nothing is saved, bytes.
  static let least = 64 * 1_024
  /// A shorter round trip counts as this one: on a LAN the consumer's scheduling is the delay to cover. What a window
  /// has beyond that waits at the receiver, in front of every vote.
  static let leastRoundTrip = TimeAmount.microseconds(250)

  /// The window that HELLO promises for every stream, in bytes.
  package let initialWindow: UInt32
  private let mostForAppends: Int
  private let mostForSnapshots: Int

  package init(limits: MuxLimits) {
    initialWindow = UInt32(limits.initialWindow)
    mostForAppends = max(limits.initialWindow, limits.maximumAppendWindow)
    mostForSnapshots = max(limits.initialWindow, limits.maximumSnapshotWindow)
  }

  /// The largest window of a class, bytes. Elections are small by nature and never grow.
  package func most(_ trafficClass: TrafficClass) -> Int {
    switch trafficClass {
    case .election: Int(initialWindow)
    case .append: mostForAppends
    case .snapshot: mostForSnapshots
    }
  }

  /// The shortest time over which a rate is measured.
  package func shortestEpoch(_ roundTrip: TimeAmount) -> TimeAmount {
    max(roundTrip, Self.leastRoundTrip)
  }

  /// The window after an epoch. It at most doubles and at most halves.
  ///
  /// - Parameters:
  ///   - rate: the highest consumption rate of the last epochs, bytes per second.
  ///   - roundTrip: the least of the last measurements.
  package func nextWindow(
    current: UInt32, rate: Double, roundTrip: TimeAmount, trafficClass: TrafficClass
  ) -> UInt32 {
    let most = most(trafficClass)
    let floor = max(min(Self.least, Int(initialWindow)), Int(current) / 2)
    let ceiling = min(2 * Int(current), most)
    return UInt32(max(min(wanted(rate: rate, roundTrip: roundTrip), ceiling), min(floor, most)))
  }

  /// The window of a new stream whose sender says that it has more than the initial window takes.
  ///
  /// - Parameter room: bytes by which windows may still grow: a stream that has shown nothing yet gets no
  ///   more than a quarter of it.
  package func firstWindow(
    rate: Double, roundTrip: TimeAmount, room: Int, trafficClass: TrafficClass
  ) -> UInt32 {
    let bound = min(most(trafficClass), Int(initialWindow) + room / 4)
    return UInt32(max(Int(initialWindow), min(wanted(rate: rate, roundTrip: roundTrip), bound)))
  }

  private func wanted(rate: Double, roundTrip: TimeAmount) -> Int {
    let seconds = Double(shortestEpoch(roundTrip).nanoseconds) / 1e9
    return Int(min(max(0, 2 * rate * seconds), Double(Int32.max)))
  }
}
