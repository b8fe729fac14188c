/// Times one measurement.
struct Stopwatch: Sendable {
  private let start = ContinuousClock.now
  private let end: ContinuousClock.Instant

  init(_ duration: Duration) {
    end = start + duration
  }

  /// Whether there is time for one more call.
  var isRunning: Bool { ContinuousClock.now < end }

  var seconds: Double { (ContinuousClock.now - start).inSeconds }
}

extension Duration {
  var inSeconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) / 1e18
  }

  var inNanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    return UInt64(clamping: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }
}
