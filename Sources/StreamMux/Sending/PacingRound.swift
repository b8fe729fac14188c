internal import NIOCore

/// From one sample of the socket to that at which everything is acknowledged that was outstanding then.
struct PacingRound: Equatable, Sendable {
  private let start: NIODeadline
  private let acknowledgedAtStart: UInt64
  /// The round is over once so much is acknowledged.
  let mark: UInt64
  private(set) var least: TimeAmount
  private(set) var most: TimeAmount
  /// There was always something to send.
  private(set) var isSaturated = true
  /// No more than the bound was ever outstanding.
  private(set) var isSettled = true
  private(set) var wasHeld = false

  init(_ figures: SocketFigures, now: NIODeadline) {
    start = now
    acknowledgedAtStart = figures.acknowledged
    mark = figures.acknowledged + UInt64(max(figures.outstanding, 1))
    least = figures.roundTrip
    most = figures.roundTrip
  }

  /// Takes a further sample.
  ///
  /// - Parameters:
  ///   - bound: what should be outstanding at most; nil: nothing was held back.
  ///   - isSaturated: whether there was something to send since the sample before.
  ///   - wasHeld: whether bulk was held back since then.
  mutating func saw(_ figures: SocketFigures, bound: Int?, isSaturated: Bool, wasHeld: Bool) {
    least = min(least, figures.roundTrip)
    most = max(most, figures.roundTrip)
    self.isSaturated = self.isSaturated && isSaturated
    self.wasHeld = self.wasHeld || wasHeld
    // A sixteenth and a few frames more are what timers and frames that were begun add.
    if let bound, figures.outstanding > bound + bound / 16 + 16_384 { isSettled = false }
  }

  /// What was acknowledged, in bytes per second; nil if no time has passed.
  func rate(_ figures: SocketFigures, now: NIODeadline) -> Double? {
    let elapsed = now - start
    guard elapsed > .zero else { return nil }
    return Double(figures.acknowledged - acknowledgedAtStart) / Double(elapsed.nanoseconds) * 1e9
  }

  /// Whether the round took no longer than its round trips explain: one that did holds a loss or an outage, which
  /// says nothing of the rate.
  func isWhole(now: NIODeadline) -> Bool {
    (now - start).nanoseconds <= most.nanoseconds * 3 / 2 + 10_000_000
  }
}
