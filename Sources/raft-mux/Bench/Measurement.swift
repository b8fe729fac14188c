/// What the calling side saw of one measurement.
struct Sample: Codable, Sendable, Equatable {
  /// Calls, messages or snapshots that were answered.
  var operations: Int
  /// Bytes of entries or snapshots in them.
  var payloadBytes: Int
  /// From the first call to the last answer.
  var seconds: Double
  /// How long single calls took, where that was the question.
  var latency: Latency?
  /// What went on beside them.
  var load: Load?
  /// The same over time, where there was a load.
  var timeline: [Moment]?

  struct Latency: Codable, Sendable, Equatable {
    /// In microseconds.
    var p50: Double
    var p99: Double
    var p999: Double
    /// At each of ``curvePercentiles``.
    var curve: [Double]?

    static let curvePercentiles = [
      0, 10, 25, 50, 75, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99, 100,
    ]
  }

  /// An interval's latencies.
  struct Moment: Codable, Sendable, Equatable {
    /// When it begins.
    var seconds: Double
    /// In microseconds.
    var mean: Double
    /// In microseconds.
    var worst: Double
    /// What the other side has read of snapshots in all.
    var snapshotBytes: UInt64
  }

  struct Load: Codable, Sendable, Equatable {
    var requestsPerSecond: Double
    /// As the reading side counts them.
    var snapshotBytesPerSecond: Double
  }
}

/// What both processes have used since they began.
struct Usage: Codable, Sendable, Equatable {
  var clientCPUSeconds: Double
  var serverCPUSeconds: Double
  /// Both directions, what the sockets carried.
  var wireBytes: UInt64

  func since(_ earlier: Usage) -> Usage {
    Usage(
      clientCPUSeconds: clientCPUSeconds - earlier.clientCPUSeconds,
      serverCPUSeconds: serverCPUSeconds - earlier.serverCPUSeconds,
      // A connection that was made anew in between begins to count from zero.
      wireBytes: wireBytes >= earlier.wireBytes ? wireBytes - earlier.wireBytes : wireBytes)
  }
}

/// One measurement of one system: a line of `--json`.
struct Measurement: Codable, Sendable, Equatable {
  var workload: String
  var system: String
  /// From 1.
  var round: Int
  var sample: Sample
  var usage: Usage
}
