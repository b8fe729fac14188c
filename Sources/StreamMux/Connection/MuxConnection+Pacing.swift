package import NIOCore

/// Bulk that is held back for the sake of those who come later.
extension MuxConnection {
  /// Whether the owner should ask the system about the socket and call ``take(_:now:)`` before it asks for the next
  /// transmission. Cheap; false while nothing but control frames and votes is sent. Mutating as ``nextDeadline`` is.
  package mutating func wantsFigures(now: NIODeadline) -> Bool {
    phase == .running
      && pacer.wantsFigures(
        sent: counts.bytesSent, bulkWaits: scheduler.hasBulk, path: path.bottleneck, now: now)
  }

  /// Takes what the system told; nil: it does not tell.
  package mutating func take(_ figures: SocketFigures?, now: NIODeadline) {
    guard phase == .running else { return }
    if let figures {
      takeFigures(figures, now: now)
    } else {
      pacer.hasNoFigures()
    }
    noteOutput(now: now)
  }

  /// About how many bytes may lie between the engine and the path: what is there is the latency of everybody who
  /// comes later. A millisecond's worth where the rate is known. Mutating as ``nextDeadline`` is.
  package var burst: Int {
    mutating get { pacer.burst(path.bottleneck) }
  }

  /// What the system's figures have shown of the path.
  package var bottleneck: BottleneckModel { path.bottleneck }

  /// How often bulk was held back.
  package var bulkPauses: UInt64 { pacer.holds }

  mutating func permitsBulk(packed: Int, now: NIODeadline) -> Bool {
    pacer.permitsBulk(sent: counts.bytesSent + UInt64(packed), path: path.bottleneck, now: now)
  }

  // MARK: Without the system's figures

  /// A PONG says that all bytes in front of its PING have arrived: an acknowledgement, though a rare one, since PINGs
  /// are budgeted (R-LIM-7).
  ///
  /// It is asked for before anything is cut, so that the PING leaves at the head of what goes now.
  mutating func probePath(now: NIODeadline) {
    guard phase == .running, pacer.isBlind, scheduler.hasBulk,
      pathProbe.isDue(sent: counts.bytesSent, isHolding: pacer.isHolding, now: now)
    else { return }
    let number = pings.send(.path, now: now)
    pathProbe.begin(number, sent: counts.bytesSent, now: now)
    control.appendPing(number)
  }

  mutating func pathWasProbed(_ number: UInt64, roundTrip: TimeAmount, now: NIODeadline) {
    guard let acknowledged = pathProbe.end(number) else { return }
    let figures = SocketFigures(
      acknowledged: acknowledged, unacknowledged: Int(counts.bytesSent - acknowledged),
      unsent: scheduler.hasBulk ? 1 : 0, roundTrip: roundTrip,
      roundTripVariation: path.roundTrip.variation, minimumRoundTrip: path.minimumRoundTrip)
    takeFigures(figures, now: now)
  }

  private mutating func takeFigures(_ figures: SocketFigures, now: NIODeadline) {
    let isProgress = pacer.hasAdvanced(figures)
    pacer.take(figures, sent: counts.bytesSent, path: &path.bottleneck, now: now)
    // R-LIV-6: what is held back moves on as the path does.
    if isProgress { keepAlive.transmitted(stillPending: scheduler.hasBulk, now: now) }
  }
}
