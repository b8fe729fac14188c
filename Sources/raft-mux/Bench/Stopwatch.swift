/// Times one measurement.
struct Stopwatch: Sendable {
  private let start = ContinuousClock.now
  private let end: ContinuousClock.Instant

  init(_ duration: Duration) {
    self.end = self.start + duration
  }

  /// Whether there is time for one more call.
  var isRunning: Bool { ContinuousClock.now < self.end }

  var seconds: Double { (ContinuousClock.now - self.start).inSeconds }
}

extension Duration {
  var inSeconds: Double {
    let (seconds, attoseconds) = self.components
    return Double(seconds) + Double(attoseconds) / 1e18
  }

  var inNanoseconds: UInt64 {
    let (seconds, attoseconds) = self.components
    return UInt64(clamping: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }
}
