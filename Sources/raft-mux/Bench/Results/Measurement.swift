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
  /// What writing and reading one message costs, where that was the question.
  var codec: Codec?
  /// What idle things hold, where that was the question.
  var idle: Idle?

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

  struct Codec: Codable, Sendable, Equatable {
    /// The length of the message.
    var bytes: Int
    var encodeNanoseconds: Double
    var decodeNanoseconds: Double
    /// `nil` where they cannot be counted.
    var encodeAllocations: Double?
    /// `nil` where they cannot be counted.
    var decodeAllocations: Double?
  }

  /// Both processes' share of it; memory of the kernel is not in these.
  struct Idle: Codable, Sendable, Equatable {
    var client: Side
    var server: Side

    struct Side: Codable, Sendable, Equatable {
      /// Resident memory in bytes for each connection or stream.
      var residentBytesEach: Double
      /// Of that, what is allocated.
      var heapBytesEach: Double
      var wakeUpsPerSecond: Double
      /// Processor seconds a second.
      var processorShare: Double
    }
  }

  struct Load: Codable, Sendable, Equatable {
    var requestsPerSecond: Double
    /// As the reading side counts them.
    var snapshotBytesPerSecond: Double
  }
}

/// One measurement of one system: a line of `--json`.
struct Measurement: Codable, Sendable, Equatable {
  var workload: String
  var system: String
  /// From 1.
  var round: Int
  /// Whether system calls and allocations were counted, which costs time: its speed says nothing.
  var isCounted = false
  var sample: Sample
  var usage: Usage
}
