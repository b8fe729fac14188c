/// How much work one measurement is.
struct Effort: Sendable, Equatable {
  var duration: Duration
  var asking = Asking()
  /// How long the load has the connection to itself before calls beside it count: windows and congestion control
  /// come to their own in it.
  var leadIn = Duration.milliseconds(250)
  /// Snapshots are cut to so many bytes; `nil` sends them whole.
  var snapshotLimit: Int?

  /// How small calls follow each other where their latency is the question.
  struct Asking: Sendable, Equatable {
    /// How many ask at once; each waits for its answer.
    var askers = 1
    /// Calls a second by all of them together; 0 means as fast as answers come.
    var rate = 0.0
    /// The measurement goes on until there are so many, whatever its duration.
    var leastCalls = 0

    /// How long the calls take at this rate at least.
    var duration: Duration { rate > 0 ? .seconds(Double(leastCalls) / rate) : .zero }
  }
}

extension Effort {
  /// How long the work may take: a snapshot has to come to its end on a slow link, too.
  func patience(_ files: SnapshotFiles) -> Duration {
    max(duration, asking.duration) * 2 + leadIn + .seconds(60 + files.size / 500_000)
  }
}
