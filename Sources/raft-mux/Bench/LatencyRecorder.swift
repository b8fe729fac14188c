import Histogram

/// Collects how long calls took.
struct LatencyRecorder: Sendable {
  /// In nanoseconds, up to a minute; three digits are kept.
  private var histogram = Histogram<UInt64>(
    highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
  private var timeline: Timeline
  private var first: Progress?
  private var last: Progress?
  private(set) var count = 0

  private struct Progress {
    /// Since the beginning, in seconds.
    let time: Double
    let snapshotBytes: UInt64
  }

  /// - Parameter interval: What the timeline puts together.
  init(interval: Duration = .milliseconds(10)) {
    timeline = Timeline(interval: interval.inSeconds)
  }

  mutating func record(nanoseconds: UInt64) {
    histogram.record(min(nanoseconds, histogram.highestTrackableValue))
    count += 1
  }

  /// - Parameters:
  ///   - start: When the call began, since the beginning of the measurement.
  ///   - time: How long it took.
  ///   - snapshotBytes: What the other side had read of snapshots when it answered.
  mutating func record(start: Duration, time: Duration, snapshotBytes: UInt64) {
    record(nanoseconds: time.inNanoseconds)
    timeline.add(at: start.inSeconds, microseconds: time.inSeconds * 1e6, snapshotBytes: snapshotBytes)
    let progress = Progress(time: (start + time).inSeconds, snapshotBytes: snapshotBytes)
    if first.map({ progress.time < $0.time }) ?? true { first = progress }
    if last.map({ progress.time > $0.time }) ?? true { last = progress }
  }

  /// Takes in what another one has collected, without what it knows of the course of time.
  mutating func add(_ other: LatencyRecorder) {
    histogram.add(other.histogram)
    count += other.count
  }

  var moments: [Sample.Moment] { timeline.moments }

  /// What the other side read of snapshots, from the first answer to the last.
  var snapshotBytesPerSecond: Double {
    guard let first, let last, last.time > first.time, last.snapshotBytes >= first.snapshotBytes else {
      return 0
    }
    return Double(last.snapshotBytes - first.snapshotBytes) / (last.time - first.time)
  }

  /// `nil` if nothing was recorded.
  var latency: Sample.Latency? {
    guard count > 0 else { return nil }
    return Sample.Latency(
      p50: microseconds(50), p99: microseconds(99), p999: microseconds(99.9),
      curve: Sample.Latency.curvePercentiles.map(microseconds))
  }

  private func microseconds(_ percentile: Double) -> Double {
    Double(histogram.valueAtPercentile(percentile)) / 1e3
  }
}
