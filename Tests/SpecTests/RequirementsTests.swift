import ConformanceSuite
import Foundation
import Testing

@Suite("The requirements")
struct RequirementsTests {
  let onPages: [Requirement]
  let inTable: [Requirement]

  init() throws {
    onPages = try SpecFolder.pages().flatMap(Requirement.all)
    // The table is written by this test where somebody asks for it, so that the pages stay its only source.
    if ProcessInfo.processInfo.environment["RAFT_MUX_RECORD_SPEC"] != nil {
      try Self.write(onPages.sorted { $0.order < $1.order })
    }
    inTable = try Requirement.table()
  }

  private static func write(_ requirements: [Requirement]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let lines = try requirements.map { "    " + String(decoding: try encoder.encode($0), as: UTF8.self) }
    let text = """
      {
        "about": "Every requirement of the specification. observable: a peer can see whether it is kept. \
      The text on the page is the normative one.",
        "requirements": [
      \(lines.joined(separator: ",\n"))
        ]
      }

      """
    try text.write(
      to: SpecFolder.spec.appending(path: "tables/requirements.json"), atomically: true, encoding: .utf8)
    try suiteTable(requirements).write(to: suiteTableFile, atomically: true, encoding: .utf8)
  }

  private static let suiteTableFile = SpecFolder.root.appending(
    path: "Sources/ConformanceSuite/Suite/RequirementTable.swift")

  /// The conformance suite's own copy of the table: a tool that is installed alone has no `Spec/` to read.
  private static func suiteTable(_ requirements: [Requirement]) -> String {
    let lines = requirements.map { requirement in
      "  "
        + [
          requirement.id, requirement.file, requirement.level, requirement.observable ? "yes" : "no",
          requirement.sentence,
        ].joined(separator: "\t")
    }
    return """
      // swift-format-ignore-file
      /// `Spec/tables/requirements.json` as lines of fields with tabs between them. Written by SpecTests with
      /// `RAFT_MUX_RECORD_SPEC`, and held to the table by them.
      enum RequirementTable {
        static let lines = #\"""
      \(lines.joined(separator: "\n"))
        \"""#
      }

      """
  }

  @Test("The conformance suite has the same requirements")
  func suiteAgrees() throws {
    #expect(try String(contentsOf: Self.suiteTableFile, encoding: .utf8) == Self.suiteTable(inTable))
    let suite = ConformanceSuite.Requirements.all
    #expect(suite.count == inTable.count)
    for requirement in inTable {
      let own = suite[requirement.id]
      #expect(own?.sentence == requirement.sentence && own?.level == requirement.level, "\(requirement.id)")
    }
  }

  @Test("On the pages and in requirements.json they are the same")
  func pagesAndTableAgree() {
    let table = Set(inTable)
    let pages = Set(onPages)
    for requirement in onPages where !table.contains(requirement) {
      Issue.record("\(requirement.id) of \(requirement.file) is missing or different in requirements.json")
    }
    for requirement in inTable where !pages.contains(requirement) {
      Issue.record("\(requirement.id) of requirements.json is missing or different in \(requirement.file)")
    }
    #expect(!onPages.isEmpty)
  }

  @Test("Ids are unique")
  func idsAreUnique() {
    for (id, group) in Dictionary(grouping: onPages, by: \.id) where group.count > 1 {
      Issue.record("\(id) is used \(group.count) times")
    }
    #expect(Set(inTable.map(\.id)).count == inTable.count)
  }

  @Test("Each area counts from 1 without holes")
  func numbersHaveNoHoles() {
    for (area, group) in Dictionary(grouping: onPages, by: \.area) {
      let numbers = Set(group.compactMap(\.number))
      let missing = Set(1...group.count).subtracting(numbers).sorted()
      #expect(missing.isEmpty, "\(area) lacks \(missing)")
    }
  }

  @Test("Each area is on its page")
  func areasAreOnTheirPages() {
    for requirement in onPages {
      #expect(Requirement.pages[requirement.area] == requirement.file, "\(requirement.id)")
    }
  }

  @Test("Each says exactly one thing with a conformance word")
  func oneConformanceWordEach() {
    for requirement in onPages where requirement.isStrict {
      let words = requirement.sentence.matches(of: /\b(MUST NOT|MUST|SHOULD NOT|SHOULD|MAY)\b/)
      #expect(words.count == 1, "\(requirement.id) has \(words.count) conformance words")
      #expect(requirement.sentence.hasSuffix("."), "\(requirement.id) is not a sentence")
    }
  }

  @Test("Conformance words stand in requirements only")
  func noConformanceWordsElsewhere() throws {
    let strictPages = Set(onPages.filter(\.isStrict).map(\.file))
    for page in try SpecFolder.pages() where strictPages.contains(page.name) {
      for paragraph in page.paragraphs where !paragraph.hasPrefix("**R-") {
        #expect(
          Requirement.level(of: paragraph) == nil, "\(page.name): \(paragraph.prefix(80))")
      }
    }
  }

  @Test("Whatever sources and tests mention exists")
  func mentionsExist() throws {
    let ids = Set(onPages.map(\.id))
    var mentioned: Set<String> = []
    for file in try SpecFolder.sources(in: ["Sources", "Tests"], extensions: ["swift", "go"])
    where !file.path.contains("SpecTests") && !file.path.hasSuffix("RequirementTable.swift") {
      for match in file.text.matches(of: /\bR-[A-Z]+-[0-9]+\b/) {
        #expect(ids.contains(String(match.0)), "\(file.path) mentions \(match.0), which does not exist")
        mentioned.insert(String(match.0))
      }
    }
    #expect(!mentioned.isEmpty)
  }

  @Test("Pages cite only requirements that exist")
  func pagesCiteExistingRequirements() throws {
    let ids = Set(onPages.map(\.id))
    for page in try SpecFolder.pages() {
      for match in page.text.matches(of: /\bR-[A-Z]+-[0-9]+\b/) {
        #expect(ids.contains(String(match.0)), "\(page.name) cites \(match.0)")
      }
    }
  }
}
