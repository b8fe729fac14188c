/// A workload as a client in another language gets it: flat, with zeros for what does not apply.
struct WorkloadOrder: Codable, Sendable {
  /// `unary`, `pipeline`, `snapshot`, `vote` or `heartbeat`.
  var kind: String
  var callers = 0
  var entries = 0
  var entryBytes = 0
  var depth = 0
  /// How many pipelines at once; 0 is one.
  var streams = 0
  /// What goes on beside calls whose latency is the question: `idle`, `snapshot` or `busy`.
  var load = ""
  var askers = 0
  var rate = 0.0
  var leastCalls = 0
  var leadInSeconds = 0.0
  /// The file with the snapshot's bytes.
  var file = ""
  /// Whether the file is read beforehand and sent from memory.
  var isInMemory = false
  /// How many bytes of the file are sent; 0 for all.
  var snapshotLimit = 0
  var seconds = 0.0

  init(_ workload: Workload, files: SnapshotFiles, _ effort: Effort) throws {
    switch workload.kind {
    case .unary(let callers):
      kind = "unary"
      self.callers = callers
      self.entries = Workload.unaryBatch.entries
      self.entryBytes = Workload.unaryBatch.entryBytes
    case .pipeline(let batch, let depth):
      kind = "pipeline"
      self.entries = batch.entries
      self.entryBytes = batch.entryBytes
      self.depth = depth ?? Workload.defaultPipeline
    case .pipelines(let count, let batch), .peers(let count, let batch):
      kind = "pipeline"
      streams = count
      entries = batch.entries
      entryBytes = batch.entryBytes
      depth = Workload.defaultPipeline
    case .codec, .idle:
      // Nobody but this package's transport is asked.
      kind = ""
    case .snapshot(let shape, let size):
      snapshotLimit = size ?? 0
      kind = "snapshot"
      file = try files.path(shape.content)
      isInMemory = shape.source == .memory
    case .latency(let question, let load):
      kind = question.rawValue
      self.load = load.rawValue
      entries = Workload.loadBatch.entries
      entryBytes = Workload.loadBatch.entryBytes
      depth = Workload.deepPipeline
      if load != .idle { file = try files.path(.random) }
      askers = effort.asking.askers
      rate = effort.asking.rate
      leastCalls = effort.asking.leastCalls
      leadInSeconds = effort.leadIn.inSeconds
    }
    if let limit = effort.snapshotLimit, snapshotLimit == 0 || limit < snapshotLimit { snapshotLimit = limit }
    seconds = effort.duration.inSeconds
  }
}
