import Foundation

/// What a soak came to.
struct SoakReport: Codable, Sendable {
  var seed: UInt64
  var seconds: Double
  var nodes: Int
  var figures: SoakLedger.Figures
  var faults: [String: UInt64]
  var samples: [SoakSample]
  /// Empty if all was in order.
  var problems: [String]

  var isGood: Bool { problems.isEmpty }

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  var lines: [String] {
    let mebibytes = figures.snapshotBytes >> 20
    let summary = """
      \(figures.requests) requests, \(figures.answers) answers, \(figures.pipelines) pipelines, \
      \(figures.snapshots) snapshots of \(mebibytes) MiB in all, \(nodes) nodes, \(Int(seconds)) s, seed \(seed)
      """
    let verdict =
      isGood
      ? [
        "Each answer belongs to a request that was processed once, with equal bytes; nothing grew and nothing is left."
      ]
      : problems.map { "PROBLEM: \($0)" }
    return [summary, "Faults: \(Self.list(faults))", "Errors: \(Self.list(figures.errors))"] + verdict
  }

  private static func list(_ counts: [String: UInt64]) -> String {
    counts.isEmpty
      ? "none" : counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: "; ")
  }
}
