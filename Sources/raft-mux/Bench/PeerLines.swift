import Foundation

/// What the two sides of a measurement say to the process that runs it: one JSON object a line.
enum PeerLines {
  /// The first line of a server.
  struct Listening: Codable, Sendable {
    var address: String
  }

  /// What is asked of a process.
  struct Order: Codable, Sendable {
    /// `usage` of everybody, `measure` of a client in another language.
    var order: String
    var workload: WorkloadOrder?

    static let usage = Order(order: "usage", workload: nil)
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
  var isBusy = false
  /// The file with the snapshot's bytes.
  var file = ""
  /// Whether the file is read beforehand and sent from memory.
  var isInMemory = false
  var seconds = 0.0

  init(_ workload: Workload, files: SnapshotFiles, duration: Duration) {
    switch workload.kind {
    case .unary(let callers):
      self.kind = "unary"
      self.callers = callers
      self.entries = Workload.unaryBatch.entries
      self.entryBytes = Workload.unaryBatch.entryBytes
    case .pipeline(let batch, let depth):
      self.kind = "pipeline"
      self.entries = batch.entries
      self.entryBytes = batch.entryBytes
      self.depth = depth ?? Workload.defaultPipeline
    case .snapshot(let shape):
      self.kind = "snapshot"
      self.file = files.path(shape.content)
      self.isInMemory = shape.source == .memory
    case .latency(let question, let isBusy):
      self.kind = question.rawValue
      self.isBusy = isBusy
      self.entries = Workload.loadBatch.entries
      self.entryBytes = Workload.loadBatch.entryBytes
      self.depth = Workload.deepPipeline
      self.file = files.path(.random)
    }
    self.seconds = duration.inSeconds
  }
}
