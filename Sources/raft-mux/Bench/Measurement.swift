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

  struct Latency: Codable, Sendable, Equatable {
    /// In microseconds.
    var p50: Double
    var p99: Double
    var p999: Double
  }

  struct Load: Codable, Sendable, Equatable {
    var requestsPerSecond: Double
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
      clientCPUSeconds: self.clientCPUSeconds - earlier.clientCPUSeconds,
      serverCPUSeconds: self.serverCPUSeconds - earlier.serverCPUSeconds,
      // A connection that was made anew in between begins to count from zero.
      wireBytes: self.wireBytes >= earlier.wireBytes ? self.wireBytes - earlier.wireBytes : self.wireBytes)
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
