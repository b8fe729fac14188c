package import NIOCore

/// What the system says about a connection's socket at one moment.
///
/// The engine takes it as an argument, like time: it knows no sockets. A simulated path makes its own.
package struct SocketFigures: Hashable, Sendable {
  /// Bytes that the peer's system has acknowledged since the connection began, in order or not.
  package var acknowledged: UInt64
  /// Bytes that were sent and are not acknowledged.
  package var unacknowledged: Int
  /// Bytes that were handed over by the engine and wait for being sent, in the system or before it.
  package var unsent: Int
  /// A smoothed round trip.
  package var roundTrip: TimeAmount
  /// How much round trips differ from that.
  package var roundTripVariation: TimeAmount
  /// The least round trip that the system remembers, which may be that of another route; nil if it does not.
  package var minimumRoundTrip: TimeAmount?
  /// Bytes that the congestion window lets be under way while it grows with each acknowledgement, as at the start and
  /// behind a timeout; nil otherwise.
  package var slowStartWindow: Int?

  package init(
    acknowledged: UInt64, unacknowledged: Int, unsent: Int, roundTrip: TimeAmount,
    roundTripVariation: TimeAmount, minimumRoundTrip: TimeAmount?, slowStartWindow: Int? = nil
  ) {
    self.acknowledged = acknowledged
    self.unacknowledged = unacknowledged
    self.unsent = unsent
    self.roundTrip = roundTrip
    self.roundTripVariation = roundTripVariation
    self.minimumRoundTrip = minimumRoundTrip
    self.slowStartWindow = slowStartWindow
  }

  /// Bytes that were handed over and are not acknowledged.
  package var outstanding: Int { unacknowledged + unsent }
}
