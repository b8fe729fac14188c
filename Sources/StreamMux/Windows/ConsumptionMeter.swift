package import NIOCore

/// Measures how fast the bytes of one stream are consumed while its sender has more to send.
///
/// An epoch lasts until half a window was consumed and a round trip has passed. A frame without MORE ends it
/// without a result: from there on the sender may have had nothing to send, which says nothing about the path
/// or the consumer.
package struct ConsumptionMeter: Hashable, Sendable {
  private struct Epoch: Hashable, Sendable {
    let start: NIODeadline
    let consumed: UInt64
  }

  private var epoch: Epoch?
  /// Whether the sender ever said MORE.
  package private(set) var hasBegun = false
  private var rates = RateHistory()
  /// By which the window was last made smaller; nil if it has grown since.
  private var rateAtShrinking: Double?

  package init() {}

  /// Bytes per second of the fastest of the last epochs; nil before the first.
  package var highestRate: Double? { rates.highest }

  /// A DATA frame came.
  ///
  /// - Parameters:
  ///   - consumed: bytes of the stream that were consumed or absorbed up to now.
  /// - Returns: the rate of the epoch that ended, in bytes per second.
  package mutating func received(
    hasMore: Bool, consumed: UInt64, window: UInt32, shortest: TimeAmount, now: NIODeadline
  ) -> Double? {
    guard hasMore else {
      epoch = nil
      return nil
    }
    hasBegun = true
    guard let current = epoch else {
      epoch = Epoch(start: now, consumed: consumed)
      return nil
    }
    let elapsed = now - current.start
    guard elapsed >= shortest, elapsed > .zero, consumed >= current.consumed + UInt64(window) / 2 else {
      return nil
    }
    epoch = Epoch(start: now, consumed: consumed)
    let rate = Double(consumed - current.consumed) * 1e9 / Double(elapsed.nanoseconds)
    rates.append(rate)
    return rate
  }

  /// The window was sized anew by the highest rate.
  ///
  /// - Returns: whether it shrinks once more because shrinking made the stream slower: it was the limit all the time.
  ///   A queue or a slow consumer would have gone on at the old rate.
  package mutating func resized(from old: UInt32, to new: UInt32) -> Bool {
    guard new < old, let rate = rates.highest else {
      if new > old { rateAtShrinking = nil }
      return false
    }
    guard let before = rateAtShrinking else {
      rateAtShrinking = rate
      return false
    }
    let isSlower = rate < before * 3 / 4
    if isSlower { rateAtShrinking = rate }
    return isSlower
  }
}

/// The last eight rates.
package struct RateHistory: Hashable, Sendable {
  static let length = 8
  private var rates: [Double] = []
  private var next = 0

  package init() {}

  package var highest: Double? { rates.max() }

  package mutating func append(_ rate: Double) {
    if rates.count < Self.length {
      rates.append(rate)
    } else {
      rates[next] = rate
      next = (next + 1) % Self.length
    }
  }
}
