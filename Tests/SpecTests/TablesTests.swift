import Foundation
import Testing

/// `tables/frame-types.json`
struct FrameTypesTable: Decodable {
  struct Row: Decodable {
    let value: Int
    let name: String
    let onStream: Bool
    let leastLength: Int
    let greatestLength: Int?
    let flags: [String]
    let carriesClass: Bool
    let handshake: Bool
  }
  struct Flag: Decodable {
    let bit: Int
    let name: String
  }
  struct Span: Decodable {
    let first: Int
    let last: Int
    let rule: String
  }
  let frameTypes: [Row]
  let flags: [Flag]
  let ranges: [Span]

  static func load() throws -> FrameTypesTable {
    try SpecFolder.json("tables/frame-types.json", as: Self.self)
  }
}

/// `tables/error-codes.json`
struct ErrorCodesTable: Decodable {
  struct Row: Decodable, Hashable {
    let value: Int
    let name: String
    let scope: String
    let meaning: String
  }
  let errorCodes: [Row]

  static func load() throws -> [Row] {
    try SpecFolder.json("tables/error-codes.json", as: Self.self).errorCodes
  }
}

/// `tables/untested.json`
struct Untested: Decodable {
  struct Entry: Decodable {
    let id: String
    let reason: String
  }
  let untested: [Entry]

  static func load() throws -> [Entry] {
    try SpecFolder.json("tables/untested.json", as: Self.self).untested
  }
}

/// `tables/limits.json`
struct LimitsTable: Decodable {
  struct Wire: Decodable {
    let name: String
    let `default`: Int
    let least: Int
    let most: Int
    let unit: String
    let error: String?
  }
  struct Local: Decodable {
    let name: String
    let `default`: Int
    let unit: String
    let beyond: String?
  }
  struct Budget: Decodable {
    let name: String
    let burst: Int
    let perSecond: Int
    let counts: String
  }
  let wire: [Wire]
  let local: [Local]
  let budgets: [Budget]

  static func load() throws -> LimitsTable { try SpecFolder.json("tables/limits.json", as: Self.self) }
}

@Suite("The tables in the text and in JSON agree")
struct TablesTests {
  @Test("Frame types: registry and framing")
  func frameTypes() throws {
    let table = try FrameTypesTable.load()
    let registry = try SpecFolder.page("registry.md").rows(withColumns: "value", "name", "stream", "length")
    try #require(registry.count == table.frameTypes.count)
    for (text, row) in zip(registry, table.frameTypes) {
      #expect(number(text["value"]) == row.value)
      #expect(text["name"] == row.name)
      #expect((text["stream"] != "0") == row.onStream, "\(row.name)")
      let lengths =
        row.greatestLength.map { greatest in
          greatest == row.leastLength ? [greatest] : [row.leastLength, greatest]
        } ?? []
      let inText = (text["length"] ?? "").split(separator: " ").compactMap { number(String($0)) }
      #expect(inText == lengths, "\(row.name)")
    }
    let framing = try SpecFolder.page("framing.md").rows(withColumns: "value", "type", "stream", "payload")
      .filter { number($0["value"]) != nil }
    #expect(framing.compactMap { number($0["value"]) } == table.frameTypes.map(\.value))
    #expect(framing.compactMap { $0["type"] } == table.frameTypes.map(\.name))
  }

  @Test("Flags: registry and framing")
  func flags() throws {
    let table = try FrameTypesTable.load()
    for row in table.flags {
      let registry = try SpecFolder.page("registry.md").rows(withColumns: "bit", "name", "frame type")
      #expect(registry.contains { number($0["bit"]) == row.bit && $0["name"] == row.name })
      let framing = try SpecFolder.page("framing.md").rows(withColumns: "bit", "flag of DATA")
      #expect(framing.contains { number($0["bit"]) == row.bit && $0["flag of DATA"] == row.name })
    }
  }

  @Test("Error codes")
  func errorCodes() throws {
    let table = try ErrorCodesTable.load()
    let text = try SpecFolder.page("errors.md").rows(withColumns: "value", "name", "meaning")
    #expect(text.compactMap { number($0["value"]) } == table.map(\.value))
    #expect(text.compactMap { $0["name"] } == table.map(\.name))
    #expect(text.compactMap { $0["meaning"] } == table.map(\.meaning))
    #expect(Set(table.map(\.value)).count == table.count)
    #expect(Set(table.map(\.name)).count == table.count)
  }

  @Test("Every code that a page names is registered")
  func namedCodesAreRegistered() throws {
    let names = Set(try ErrorCodesTable.load().map(\.name))
    for requirement in try Requirement.table() {
      for match in requirement.sentence.matches(of: /(?:with|like) `([a-zA-Z]+)`/) {
        #expect(names.contains(String(match.1)), "\(requirement.id): \(match.1)")
      }
    }
    for row in try LimitsTable.load().wire {
      if let error = row.error { #expect(names.contains(error), "\(row.name)") }
    }
  }

  @Test("Limits on the wire")
  func wireLimits() throws {
    let table = try LimitsTable.load()
    let text = try SpecFolder.page("limits.md").rows(withColumns: "name", "default", "least", "most")
    try #require(text.count == table.wire.count)
    for (row, entry) in zip(text, table.wire) {
      #expect(row["name"] == entry.name)
      #expect(number(row["default"]) == entry.default, "\(entry.name)")
      #expect(number(row["least"]) == entry.least, "\(entry.name)")
      #expect(number(row["most"]) == entry.most, "\(entry.name)")
      #expect((entry.least...entry.most).contains(entry.default), "\(entry.name)")
    }
  }

  @Test("Local bounds")
  func localLimits() throws {
    let table = try LimitsTable.load()
    let text = try SpecFolder.page("limits.md").rows(withColumns: "name", "default", "what happens beyond")
    try #require(text.count == table.local.count)
    for (row, entry) in zip(text, table.local) {
      #expect(row["name"] == entry.name)
      #expect(number(row["default"]) == entry.default, "\(entry.name)")
    }
  }

  @Test("Abuse budgets")
  func budgets() throws {
    let table = try LimitsTable.load()
    let text = try SpecFolder.page("limits.md").rows(withColumns: "name", "burst", "per second")
    try #require(text.count == table.budgets.count)
    for (row, entry) in zip(text, table.budgets) {
      #expect(row["name"] == entry.name)
      #expect(number(row["burst"]) == entry.burst, "\(entry.name)")
      #expect(number(row["per second"]) == entry.perSecond, "\(entry.name)")
    }
  }

  @Test("The arithmetic of the worst memory is right")
  func worstMemory() throws {
    let table = try LimitsTable.load()
    func wire(_ name: String) throws -> Int { try #require(table.wire.first { $0.name == name }).default }
    func local(_ name: String) throws -> Int { try #require(table.local.first { $0.name == name }).default }
    let window = try wire("initialWindow")
    let elections = try wire("initialElectionStreams")
    let bulk = try wire("initialAppendStreams") + wire("initialSnapshotStreams")
    let budget = try local("receiveBudget")
    let assembly = try local("assemblyBudget")
    let others =
      Double(
        4 * (try wire("maximumFramePayload") + 20) + (try local("maximumControlFrames")) * 64
          + (elections + bulk + (try local("refusedStreams"))) * 1_024) / 1_048_576
    let handlers = 2 * (try local("handlersPerPeer") * 2_048 + 262_144 * 120) >> 20
    let full = (elections * window + min(budget, bulk * window + budget / 2) + assembly) >> 20
    let fixed = (elections * window + min(budget, bulk * window) + assembly) >> 20
    let text = try SpecFolder.page("limits.md").text
    #expect(text.contains("= \(full) MiB\n"))
    let beside = others + Double(handlers)
    #expect(text.contains("= \(tenths(Double(4 * full) + beside)) MiB\n"))
    #expect(text.contains("= \(fixed) MiB, and the worst memory \(tenths(Double(4 * fixed) + beside)) MiB"))
  }

  private func tenths(_ value: Double) -> String {
    let rounded = Int((value * 10).rounded())
    return "\(rounded / 10).\(rounded % 10)"
  }
}
