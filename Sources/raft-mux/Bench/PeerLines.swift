import Foundation

/// What the two sides of a measurement say to the process that runs it: one JSON object a line.
enum PeerLines {
  /// The first line of a server.
  struct Listening: Codable, Sendable {
    var address: String
  }

  /// What is asked of a process.
  struct Order: Codable, Sendable {
    /// `usage` of everybody, `measure` of a client in another language; `machine`, `serve` and `stop` of a machine.
    var order: String
    var system: SystemName?
    var workload: WorkloadOrder?

    static let usage = Order(order: "usage")
  }

  /// The answer to an order that asks for nothing.
  struct Done: Codable, Sendable {
    var done: String
  }

  /// What one process has used; `wireBytes` is 0 for servers.
  struct ProcessUsage: Codable, Sendable {
    var cpuSeconds: Double
    var wireBytes: UInt64
  }

  /// The answer to something that did not work.
  struct Failure: Codable, Sendable {
    var failure: String
  }

  static func encode<Line: Encodable>(_ line: Line) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var data = try encoder.encode(line)
    data.append(UInt8(ascii: "\n"))
    return data
  }

  static func decode<Line: Decodable>(_ type: Line.Type, _ line: String) throws -> Line {
    let data = Data(line.utf8)
    if let failure = try? JSONDecoder().decode(Failure.self, from: data) { throw BenchError(failure.failure) }
    return try JSONDecoder().decode(type, from: data)
  }
}

/// A workload as a client in another language gets it: flat, with zeros for what does not apply.
struct WorkloadOrder: Codable, Sendable {
  /// `unary`, `pipeline`, `snapshot`, `vote` or `heartbeat`.
  var kind: String
  var callers = 0
  var entries = 0
  var entryBytes = 0
  var depth = 0
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

  init(_ workload: Workload, files: SnapshotFiles, _ effort: Effort) {
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
    case .snapshot(let shape):
      kind = "snapshot"
      file = files.path(shape.content)
      isInMemory = shape.source == .memory
    case .latency(let question, let load):
      kind = question.rawValue
      self.load = load.rawValue
      entries = Workload.loadBatch.entries
      entryBytes = Workload.loadBatch.entryBytes
      depth = Workload.deepPipeline
      file = files.path(.random)
      askers = effort.asking.askers
      rate = effort.asking.rate
      leastCalls = effort.asking.leastCalls
      leadInSeconds = effort.leadIn.inSeconds
    }
    snapshotLimit = effort.snapshotLimit ?? 0
    seconds = effort.duration.inSeconds
  }
}
