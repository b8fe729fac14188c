import ConformanceSuite
import Foundation

/// `tables/coverage.json`: which tests and which cases of the conformance suite hold each requirement.
struct Coverage: Codable, Equatable {
  struct Entry: Codable, Equatable {
    let id: String
    /// Files below `Tests/`, each with the test's name behind it.
    let tests: [String]
    let cases: [String]
    /// Conversations and invalid frames of the vectors, by their files and names.
    let vectors: [String]
  }

  let about: String
  let coverage: [Entry]

  static let about =
    "The tests, the cases of the conformance suite and the vectors that claim each requirement. Written by SpecTests "
    + "with RAFT_MUX_RECORD_SPEC from what these themselves say."

  private static let file = SpecFolder.spec.appending(path: "tables/coverage.json")

  static func recorded() throws -> Coverage {
    try SpecFolder.json("tables/coverage.json", as: Coverage.self)
  }

  func write() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let lines = try coverage.map { "    " + String(decoding: try encoder.encode($0), as: UTF8.self) }
    let text = """
      {
        "about": "\(about)",
        "coverage": [
      \(lines.joined(separator: ",\n"))
        ]
      }

      """
    try text.write(to: Self.file, atomically: true, encoding: .utf8)
  }
}

/// What the tests and the suite claim, as it stands in the sources of now.
struct Claims {
  /// Tests by requirement.
  private(set) var tests: [String: Set<String>] = [:]
  /// Cases by requirement.
  private(set) var cases: [String: [String]] = [:]
  /// Vectors by requirement. A test runs each of them.
  private(set) var vectors: [String: Set<String>] = [:]
  /// Places of claims that no test takes.
  private(set) var orphans: [String] = []

  var ids: Set<String> { Set(tests.keys).union(cases.keys).union(vectors.keys) }

  private struct Conversations: Decodable {
    struct Conversation: Decodable {
      let name: String
      let requirements: [String]
    }
    let conversations: [Conversation]
  }

  private struct Frames: Decodable {
    struct Invalid: Decodable {
      let name: String
      let requirement: String
    }
    let invalid: [Invalid]
  }

  init() throws {
    for (path, text) in try SpecFolder.sources(in: ["Tests"]) {
      let reader = ClaimReader(text)
      let name = path.dropFirst("Tests/".count)
      for claim in reader.claims { tests[claim.id, default: []].insert("\(name) \(claim.test)") }
      orphans += reader.orphans.map { "\(path):\($0)" }
    }
    for item in try SpecFolder.json("vectors/conversations.json", as: Conversations.self).conversations {
      for id in item.requirements { vectors[id, default: []].insert("conversations.json \(item.name)") }
    }
    for item in try SpecFolder.json("vectors/frames.json", as: Frames.self).invalid {
      vectors[item.requirement, default: []].insert("frames.json \(item.name)")
    }
    for item in Cases.all {
      for id in item.requirements { cases[id, default: []].append(item.id) }
    }
  }

  func coverage(of ids: [String]) -> Coverage {
    Coverage(
      about: Coverage.about,
      coverage: ids.map { id in
        .init(
          id: id, tests: tests[id, default: []].sorted(), cases: cases[id] ?? [],
          vectors: vectors[id, default: []].sorted())
      })
  }
}
