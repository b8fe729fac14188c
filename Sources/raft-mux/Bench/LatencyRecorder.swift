import Histogram

/// Collects how long calls took.
struct LatencyRecorder: Sendable {
  /// In nanoseconds, up to a minute; three digits are kept.
  private var histogram = Histogram<UInt64>(
    highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
  private(set) var count = 0

  mutating func record(_ time: Duration) {
    self.record(nanoseconds: time.inNanoseconds)
  }

  mutating func record(nanoseconds: UInt64) {
    self.histogram.record(min(nanoseconds, self.histogram.highestTrackableValue))
    self.count += 1
  }

  var latency: Sample.Latency {
    Sample.Latency(p50: self.microseconds(50), p99: self.microseconds(99), p999: self.microseconds(99.9))
  }

  private func microseconds(_ percentile: Double) -> Double {
    Double(self.histogram.valueAtPercentile(percentile)) / 1e3
  }
}
