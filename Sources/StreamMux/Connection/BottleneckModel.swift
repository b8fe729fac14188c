internal import DequeModule
package import NIOCore

/// What is known of the narrowest place of a path: how fast it is, and how long a round trip takes without a queue.
package struct BottleneckModel: Equatable, Sendable {
  private struct Mark: Equatable {
    let time: NIODeadline
    let acknowledged: UInt64
    let roundTrip: TimeAmount
  }

  /// Bytes per second; nil before the first round.
  package private(set) var rate: Double?
  /// The round trip without a queue, as far as it is known.
  package private(set) var leastRoundTrip: TimeAmount?
  package private(set) var roundTrip: TimeAmount?
  /// The least variation of round trips since the least round trip was measured, and before: what the path does by
  /// itself. Queues that come and go vary round trips, too.
  package var variation: TimeAmount {
    min(variationNow ?? variationBefore ?? .zero, variationBefore ?? .nanoseconds(.max))
  }
  private var variationNow: TimeAmount?
  private var variationBefore: TimeAmount?
  /// See ``SocketFigures/slowStartWindow``.
  package private(set) var slowStartWindow: Int?
  /// Bytes unacknowledged and unsent, when they were last asked for.
  package private(set) var outstanding = 0
  /// The most that came from one sample to the next, bytes per second. Without pacing below, a window travels as a
  /// train, whose acknowledgements come as fast as the bottleneck lets it through, long before the path is full.
  package private(set) var fastestTrain = 0.0
  private var systemLeast: TimeAmount?
  private var recent: Deque<Mark> = []

  package init() {}

  mutating func sampled(_ figures: SocketFigures, now: NIODeadline) {
    roundTrip = figures.roundTrip
    variationNow = min(variationNow ?? figures.roundTripVariation, figures.roundTripVariation)
    slowStartWindow = figures.slowStartWindow
    outstanding = figures.outstanding
    remember(figures, now: now)
    // The system's least may be minutes old: it is news only when it changes.
    if let told = figures.minimumRoundTrip, told < systemLeast ?? .nanoseconds(.max) {
      systemLeast = told
      leastRoundTrip = min(leastRoundTrip ?? told, told)
    }
    guard figures.roundTrip > .zero else { return }
    let least = leastRoundTrip ?? figures.roundTrip
    leastRoundTrip = least
    // A little less is what round trips do by themselves: they are typical ones that a queue is seen against.
    if figures.roundTrip < least - .nanoseconds(min(1_500_000, least.nanoseconds / 8)) {
      leastRoundTrip = figures.roundTrip
    }
  }

  /// A round went at this rate with no queue, or with not enough to send: the path gives at least as much.
  mutating func reached(_ rate: Double) {
    self.rate = max(self.rate ?? 0, rate)
  }

  /// A round went at this rate while a queue stood: that is what the path gives.
  mutating func measured(_ rate: Double) {
    self.rate = rate
  }

  /// The round trip with an empty queue, or with one that does not empty.
  mutating func measuredLeast(_ roundTrip: TimeAmount) {
    leastRoundTrip = roundTrip
    variationBefore = variationNow
    variationNow = nil
  }

  // MARK: The last moment

  /// The rate of the last three quarters of a round trip; nil if not so much is known.
  var recentRate: Double? {
    guard spansMoment, let first = recent.first, let last = recent.last else { return nil }
    return Double(last.acknowledged - first.acknowledged) / Double((last.time - first.time).nanoseconds) * 1e9
  }

  /// The least round trip of the last three quarters of a round trip; nil if not so much is known. A window that is
  /// sent as a train makes a queue that is gone when its last packet has passed: only what stays all the time stands.
  var recentLeast: TimeAmount? { spansMoment ? recent.lazy.map(\.roundTrip).min() : nil }

  private var moment: TimeAmount { .nanoseconds((leastRoundTrip?.nanoseconds ?? 0) * 3 / 4) }

  private var spansMoment: Bool {
    guard let first = recent.first, let last = recent.last else { return false }
    return last.time > first.time && last.time - first.time >= moment
  }

  private mutating func remember(_ figures: SocketFigures, now: NIODeadline) {
    // Behind a pause there is no last moment.
    if let last = recent.last, now - last.time >= .milliseconds(1) {
      let elapsed = Double((now - last.time).nanoseconds) / 1e9
      fastestTrain = max(
        fastestTrain, Double(figures.acknowledged - min(last.acknowledged, figures.acknowledged)) / elapsed)
    }
    if let last = recent.last, now - last.time > moment { recent.removeAll(keepingCapacity: true) }
    recent.append(Mark(time: now, acknowledged: figures.acknowledged, roundTrip: figures.roundTrip))
    while recent.count > 2, now - recent[1].time >= moment { recent.removeFirst() }
    if recent.count > 64 { recent.removeFirst() }
  }
}
