/// How much of a snapshot waits in its stream's queue, from how fast that empties.
///
/// The queue has to bridge the time until a source that is told of the room has come with more; and not more than
/// that, since what lies in it was decided on (plain or compressed) with the knowledge of then.
struct UploadPace: Equatable, Sendable {
  /// Bytes that may wait for their frames, at least and at most.
  static let bounds = 128 * 1_024...2 * 1_024 * 1_024
  /// The time that the queue bridges, in seconds.
  private static let bridgedTime = 0.01

  private(set) var highWater: Int
  private var meter: LinkRateMeter

  /// - Parameter known: What an earlier snapshot on the same connection showed of the path.
  init(known: LinkRate? = nil) {
    meter = LinkRateMeter(known: known)
    highWater = Self.bounds.lowerBound
    adjust(idleAfter: nil)
  }

  /// Where the source is asked for more, in bytes.
  var lowWater: Int { highWater / 2 }

  var linkRate: LinkRate? { meter.value }

  /// Looks at the stream: before bytes are added to its queue, and when there is room in it.
  ///
  /// - Parameters:
  ///   - framed: Bytes that have left the queue in all.
  ///   - queued: Bytes in it.
  ///   - now: The time, in seconds from any beginning.
  mutating func observe(framed: UInt64, queued: Int, now: Double) {
    meter.observe(framed: framed, queued: queued, now: now)
    adjust(idleAfter: queued == 0 ? framed : nil)
  }

  private mutating func adjust(idleAfter framed: UInt64?) {
    if let framed {
      // It ran dry: the source was told too late, or is too slow, which a longer queue does not change for the worse.
      // The first bytes go into the buffers on the way, so they show nothing.
      let shown = Int(clamping: framed / 8)
      highWater = max(highWater, min(2 * highWater, shown, Self.bounds.upperBound))
    } else if let rate = meter.value, rate.measurements > 0 {
      let bridged = min(rate.bytesPerSecond * Self.bridgedTime, Double(Self.bounds.upperBound))
      highWater = max(Int(bridged), Self.bounds.lowerBound)
    }
  }
}
