import Foundation

/// What the two sides of a measurement say to the process that runs it: one JSON object a line.
enum PeerLines {
  /// The first line of a server.
  struct Listening: Codable, Sendable {
    var address: String
    /// Of further transports in the same process.
    var others: [String]?
  }

  /// What is asked of a process.
  struct Order: Codable, Sendable {
    /// `usage` of everybody, `count` and `discount` of our own, `measure` of a client in another language; `machine`,
    /// `serve` and `stop` of a machine.
    var order: String
    var system: SystemName?
    /// Which answering process is meant, by a number that the asking side gives it.
    var side: Int?
    var shape: ServerShape?
    /// How many more idle things to make.
    var more: Int?
    var workload: WorkloadOrder?

    static let usage = Order(order: "usage")
  }

  /// The answer to an order that asks for nothing.
  struct Done: Codable, Sendable {
    var done: String
  }

  /// What one process has used; `wireBytes` is 0 for servers. Programs in other languages leave out what they do not
  /// know.
  struct ProcessUsage: Codable, Sendable {
    var cpuSeconds: Double
    var wireBytes: UInt64
    /// While they were counted.
    var allocations: UInt64?
    /// While they were counted; told by whoever has started the process.
    var systemCalls: UInt64?
    /// At the moment.
    var residentBytes: UInt64?
    /// At the moment.
    var heapBytes: UInt64?
    /// How often its threads were woken.
    var wakeUps: UInt64?

    /// Of the process that asks.
    static var current: ProcessUsage {
      ProcessUsage(
        cpuSeconds: ProcessorTime.seconds, wireBytes: 0, allocations: Allocations.count,
        residentBytes: ProcessMemory.residentBytes, heapBytes: ProcessMemory.heapBytes,
        wakeUps: ProcessMemory.wakeUps)
    }
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
