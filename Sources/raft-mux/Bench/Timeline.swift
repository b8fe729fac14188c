/// Latencies over time, put together in intervals.
struct Timeline: Sendable {
  /// In seconds.
  let interval: Double
  private var buckets: [Int: Bucket] = [:]

  private struct Bucket {
    var count = 0
    var sum = 0.0
    var worst = 0.0
    var snapshotBytes: UInt64 = 0
  }

  init(interval: Double) {
    self.interval = interval
  }

  mutating func add(at seconds: Double, microseconds: Double, snapshotBytes: UInt64) {
    var bucket = buckets[Int(seconds / interval), default: Bucket()]
    bucket.count += 1
    bucket.sum += microseconds
    bucket.worst = max(bucket.worst, microseconds)
    bucket.snapshotBytes = max(bucket.snapshotBytes, snapshotBytes)
    buckets[Int(seconds / interval)] = bucket
  }

  var moments: [Sample.Moment] {
    buckets.sorted { $0.key < $1.key }.map { number, bucket in
      Sample.Moment(
        seconds: Double(number) * interval, mean: bucket.sum / Double(bucket.count), worst: bucket.worst,
        snapshotBytes: bucket.snapshotBytes)
    }
  }
}
