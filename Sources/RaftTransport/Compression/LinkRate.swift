/// What is known of the rate at which a stream's bytes leave.
package struct LinkRate: Equatable, Sendable {
  /// Bytes per second.
  package var bytesPerSecond: Double
  /// Whether the path is what limits the stream just now. If not, it takes at least so much, and perhaps far more.
  package var isLimit: Bool
  /// How many times the path was measured while it was the limit. While it is 0 the rate is only a lower bound.
  package var measurements: Int

  package init(bytesPerSecond: Double, isLimit: Bool = true, measurements: Int = 1) {
    self.bytesPerSecond = bytesPerSecond
    self.isLimit = isLimit
    self.measurements = measurements
  }
}

/// Measures what the path takes of one stream, from how its queue empties.
///
/// Only while the queue holds bytes throughout does the path show its rate; a queue that ran dry shows no more than a
/// lower bound. The first measurement behind a dry spell counts only where it is long or shows a lower rate, since the
/// buffers on the way took a part of its bytes at once.
///
/// A value without a clock: times are passed in, in seconds from any beginning.
package struct LinkRateMeter: Equatable, Sendable {
  /// A measurement takes at least so long, in seconds, so that a burst that the socket takes at once is not taken for
  /// a rate.
  static let leastTime = 0.005
  /// A measurement is of at least so many bytes.
  static let leastBytes: UInt64 = 32 * 1_024
  /// With so many bytes it does not matter what the buffers on the way took at once.
  static let trustedBytes: UInt64 = 2 * 1_024 * 1_024
  /// Weight of a new measurement.
  static let weight = 0.5

  private struct Period: Equatable, Sendable {
    let start: Double
    let framed: UInt64
    let followsDrySpell: Bool
  }

  private var period: Period?
  private var rate: Double?
  private var isLimit = false
  private var measurements = 0

  /// - Parameter known: what an earlier stream on the same path showed.
  package init(known: LinkRate? = nil) {
    rate = known?.bytesPerSecond
    isLimit = known?.isLimit ?? false
    measurements = known?.measurements ?? 0
  }

  /// nil before anything could be told.
  package var value: LinkRate? {
    rate.map { LinkRate(bytesPerSecond: $0, isLimit: isLimit, measurements: measurements) }
  }

  /// Looks at the stream: before bytes are added to its queue, and when it is told that there is room again.
  ///
  /// - Parameters:
  ///   - framed: bytes that have left the queue in all.
  ///   - queued: bytes in it.
  package mutating func observe(framed: UInt64, queued: Int, now: Double) {
    guard let current = period else {
      period = Period(start: now, framed: framed, followsDrySpell: true)
      return
    }
    let elapsed = now - current.start
    let bytes = framed - min(framed, current.framed)
    let isLongEnough = elapsed >= Self.leastTime && bytes >= Self.leastBytes
    let sample = Double(bytes) / max(elapsed, 1e-9)
    guard queued > 0 else {
      isLimit = false
      // While time goes by the sender is slow, not the path: that shows nothing unless it was faster than all before.
      if isLongEnough { rate = max(rate ?? 0, sample) }
      if isLongEnough || !current.followsDrySpell {
        period = Period(start: now, framed: framed, followsDrySpell: true)
      }
      return
    }
    guard isLongEnough else { return }
    period = Period(start: now, framed: framed, followsDrySpell: false)
    isLimit = true
    if current.followsDrySpell, bytes < Self.trustedBytes {
      if measurements == 0 || sample < (rate ?? .infinity) {
        rate = min(rate ?? sample, sample)
        measurements += 1
      }
    } else {
      rate = measurements == 0 ? sample : rate.map { $0 + Self.weight * (sample - $0) } ?? sample
      measurements += 1
    }
  }
}
