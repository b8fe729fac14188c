/// One thing that is measured.
struct Workload: Sendable, Equatable {
  /// As the command line names it.
  let name: String
  let kind: Kind

  enum Kind: Sendable, Equatable {
    /// AppendEntries calls of their own, from so many callers at once.
    case unary(callers: Int)
    /// AppendEntries through one pipeline; a depth of `nil` is the transport's default.
    case pipeline(Batch, depth: Int?)
    /// So many pipelines on one connection at once, each at the default depth.
    case pipelines(Int, Batch)
    /// A deep pipeline to each of so many peers at once.
    case peers(Int, Batch)
    /// Snapshots, one after the other; a size of `nil` is all of the file.
    case snapshot(SnapshotShape, size: Int?)
    /// Small calls, alone or beside a load that takes all it can get.
    case latency(Question, beside: Load)
    /// Writing and reading one message, without any connection.
    case codec(CodecMessage)
    /// What so many of something hold that nobody uses.
    case idle(IdleThing, count: Int)
  }

  /// The entries of one request.
  struct Batch: Sendable, Equatable {
    let entries: Int
    let entryBytes: Int

    var byteCount: Int { entries * entryBytes }
  }

  struct SnapshotShape: Sendable, Equatable {
    let source: SnapshotOrigin
    let encoding: SnapshotEncoding
    let content: SnapshotContent
  }

  enum SnapshotOrigin: String, Sendable, CaseIterable {
    case memory
    case file
  }

  enum SnapshotEncoding: String, Sendable, CaseIterable {
    case plain
    case zlib
    case auto
  }

  enum SnapshotContent: String, Sendable, CaseIterable {
    case text
    case random
  }

  enum Load: String, Sendable, CaseIterable {
    case idle
    case snapshot
    /// A snapshot and a pipeline.
    case busy
  }

  enum IdleThing: String, Sendable, CaseIterable {
    case connections
    case streams
  }

  enum Question: String, Sendable, CaseIterable {
    case vote
    case heartbeat
  }
}

extension Workload {
  /// What a unary call carries.
  static let unaryBatch = Batch(entries: 1, entryBytes: 256)

  /// What the pipeline sends that keeps a connection busy while latencies are taken.
  static let loadBatch = Batch(entries: 1, entryBytes: 1024)

  /// Requests under way in the deep pipelines: what hashicorp/raft fixes it at up to 1.3.
  static let deepPipeline = 128

  /// What a transport allows without being told: hashicorp/raft's default since 1.4 and this transport's.
  static let defaultPipeline = 2

  /// Everything that can be measured, in the order in which it is.
  static let all: [Workload] = unaryCalls + pipelines + snapshots + latencies + growth + codec + idle

  private static let unaryCalls = [1, 8, 64].map { Workload(name: "unary-\($0)", kind: .unary(callers: $0)) }

  private static let pipelines = [
    ("1x64", Batch(entries: 1, entryBytes: 64)),
    ("1x256", Batch(entries: 1, entryBytes: 256)),
    ("1x1K", Batch(entries: 1, entryBytes: 1024)),
    ("64x256", Batch(entries: 64, entryBytes: 256)),
    ("1x64K", Batch(entries: 1, entryBytes: 65_536)),
  ].flatMap { name, batch in
    [
      Workload(name: "pipeline-\(name)", kind: .pipeline(batch, depth: deepPipeline)),
      Workload(name: "pipeline-\(name)-default", kind: .pipeline(batch, depth: nil)),
    ]
  }

  private static let snapshots = SnapshotOrigin.allCases.flatMap { source in
    SnapshotEncoding.allCases.flatMap { encoding in
      SnapshotContent.allCases.map { content in
        Workload(
          name: "snapshot-\(source)-\(encoding)-\(content)",
          kind: .snapshot(
            SnapshotShape(source: source, encoding: encoding, content: content), size: nil))
      }
    }
  }

  private static let latencies = Question.allCases.flatMap { question in
    Load.allCases.map { load in
      Workload(name: "\(question)-\(load)", kind: .latency(question, beside: load))
    }
  }

  private static let growth =
    [1, 4, 16, 64, 256, 1024].map { entries in
      Workload(
        name: "growth-entries-\(entries)",
        kind: .pipeline(Batch(entries: entries, entryBytes: 256), depth: deepPipeline))
    }
    + [1, 4, 16, 64, 200].map { count in
      Workload(name: "growth-streams-\(count)", kind: .pipelines(count, Batch(entries: 1, entryBytes: 256)))
    }
    + [1, 2, 4, 8, 16].map { count in
      Workload(name: "growth-peers-\(count)", kind: .peers(count, Batch(entries: 1, entryBytes: 256)))
    }
    + [0, 2, 4, 6, 8, 10].map { power in
      Workload(
        name: "growth-snapshot-\(ByteSize(count: 1 << (20 + power)))",
        kind: .snapshot(
          SnapshotShape(source: .memory, encoding: .plain, content: .random), size: 1 << (20 + power)))
    }

  private static let codec = CodecMessage.allCases.map {
    Workload(name: "codec-\($0.rawValue)", kind: .codec($0))
  }

  private static let idle = [
    Workload(name: "idle-connections", kind: .idle(.connections, count: 1_000)),
    Workload(name: "idle-streams", kind: .idle(.streams, count: 10_000)),
  ]

  /// What it is, for people.
  var about: String {
    switch kind {
    case .unary(let callers):
      "AppendEntries calls of \(Self.unaryBatch) by \(callers) caller\(callers == 1 ? "" : "s")"
    case .pipeline(let batch, let depth):
      "one pipeline, requests of \(batch), " + (depth.map { "\($0) in flight" } ?? "the default depth")
    case .pipelines(let count, let batch):
      "\(count) pipelines at once to one peer, requests of \(batch), the default depth"
    case .peers(let count, let batch):
      "a pipeline to each of \(count) peers at once, requests of \(batch), \(Self.deepPipeline) in flight"
    case .snapshot(let shape, let size):
      "snapshots " + (size.map { "of \(ByteSize(count: $0))B " } ?? "")
        + "of \(shape.content == .text ? "text-like" : "random") bytes from "
        + "\(shape.source == .memory ? "memory" : "a file"), \(shape.encoding.about)"
    case .latency(let question, let load):
      (question == .vote ? "RequestVote" : "heartbeats") + load.about
    case .codec(let message):
      "writing and reading \(message.about)"
    case .idle(let thing, let count):
      "\(Figures.count(count)) idle \(thing.rawValue)" + (thing == .streams ? " on one connection" : "")
    }
  }
}

extension Workload.Batch: CustomStringConvertible {
  var description: String { "\(entries) x \(entryBytes) B" }
}

extension Workload.Load {
  fileprivate var about: String {
    switch self {
    case .idle: ", with nothing beside"
    case .snapshot: ", beside a snapshot as fast as it goes"
    case .busy: ", beside a pipeline and a snapshot as fast as they go"
    }
  }
}

extension Workload.SnapshotEncoding {
  fileprivate var about: String {
    switch self {
    case .plain: "as they are"
    case .zlib: "zlib level 1"
    case .auto: "compressed where it pays"
    }
  }
}
