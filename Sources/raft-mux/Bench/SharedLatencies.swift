import Synchronization

/// Where several askers note how long their calls took.
final class SharedLatencies: Sendable {
  private let recorder: Mutex<LatencyRecorder>

  init(interval: Duration) {
    recorder = Mutex(LatencyRecorder(interval: interval))
  }

  func record(start: Duration, time: Duration, snapshotBytes: UInt64) {
    recorder.withLock { $0.record(start: start, time: time, snapshotBytes: snapshotBytes) }
  }

  /// What has been noted until now.
  var recorded: LatencyRecorder { recorder.withLock { $0 } }
}
