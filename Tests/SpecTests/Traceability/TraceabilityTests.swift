import Foundation
import Testing

@Suite("Traceability")
struct TraceabilityTests {
  let requirements: [Requirement]
  let claims: Claims

  init() throws {
    requirements = try SpecFolder.pages().flatMap(Requirement.all).sorted { $0.order < $1.order }
    claims = try Claims()
    if ProcessInfo.processInfo.environment["RAFT_MUX_RECORD_SPEC"] != nil {
      try claims.coverage(of: requirements.map(\.id)).write()
    }
  }

  @Test("coverage.json names the tests and cases that there are")
  func coverageIsUpToDate() throws {
    let recorded = Dictionary(
      try Coverage.recorded().coverage.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let present = claims.coverage(of: requirements.map(\.id)).coverage
    for entry in present {
      let before = recorded[entry.id]
      func holders(_ entry: Coverage.Entry?) -> Set<String> {
        Set((entry?.tests ?? []) + (entry?.cases ?? []) + (entry?.vectors ?? []))
      }
      let (lost, new) = (
        holders(before).subtracting(holders(entry)), holders(entry).subtracting(holders(before))
      )
      #expect(
        before == entry,
        "\(entry.id): not there any more: \(lost.sorted()), new: \(new.sorted()); RAFT_MUX_RECORD_SPEC=1 writes the table"
      )
    }
    #expect(recorded.count == present.count)
  }

  @Test("Whatever is claimed exists")
  func claimsExist() {
    let ids = Set(requirements.map(\.id))
    for (id, tests) in claims.tests where !ids.contains(id) {
      Issue.record("\(tests.sorted()) claim \(id), which does not exist")
    }
    for (id, vectors) in claims.vectors where !ids.contains(id) {
      Issue.record("\(vectors.sorted()) claim \(id), which does not exist")
    }
    for (id, cases) in claims.cases where !ids.contains(id) {
      Issue.record("\(cases) claim \(id), which does not exist")
    }
  }

  @Test("Every claim stands where a test takes it")
  func noClaimsOutsideOfTests() {
    #expect(claims.orphans.isEmpty, "put these on a test, or say them as part of a sentence")
  }

  private struct Unobserved: Decodable {
    struct Entry: Decodable {
      let id: String
    }
    let unobserved: [Entry]
  }

  @Test("No case claims what the suite is said not to see")
  func noCaseClaimsTheUnobserved() throws {
    for entry in try SpecFolder.json("tables/unobserved.json", as: Unobserved.self).unobserved {
      #expect(claims.cases[entry.id] == nil, "\(entry.id) is listed in unobserved.json")
    }
  }

  @Test("Every requirement is held by a test or a case, or is listed with the reason")
  func everyRequirementIsHeld() throws {
    let ids = Set(requirements.map(\.id))
    let untested = try Untested.load()
    let listed = Set(untested.map(\.id))
    #expect(listed.count == untested.count)
    for entry in untested { #expect(ids.contains(entry.id) && entry.reason.count > 20, "\(entry.id)") }
    for requirement in requirements {
      let isHeld = claims.ids.contains(requirement.id)
      let isListed = listed.contains(requirement.id)
      #expect(isHeld || isListed, "nothing holds \(requirement.id)")
      #expect(!(isHeld && isListed), "\(requirement.id) is held: its line in untested.json can go")
    }
    let musts = requirements.filter { $0.level.hasPrefix("MUST") }
    let observable = musts.filter(\.observable)
    func held(_ some: [Requirement]) -> Int { some.count { claims.ids.contains($0.id) } }
    let tests = Set(claims.tests.values.joined())
    print(
      """
      Requirements: \(requirements.count), held: \(held(requirements)) (by tests: \
      \(requirements.count { claims.tests[$0.id] != nil }), by cases of the suite: \
      \(requirements.count { claims.cases[$0.id] != nil }), by vectors: \
      \(requirements.count { claims.vectors[$0.id] != nil })), listed as untested: \(listed.count); \
      MUST and MUST NOT: \(musts.count), held: \(held(musts)); \
      observable of these: \(observable.count), held: \(held(observable)); tests that claim one: \(tests.count)
      """)
    if ProcessInfo.processInfo.environment["RAFT_MUX_LIST_UNCITED"] != nil {
      let withoutTest = requirements.map(\.id).filter { claims.tests[$0] == nil }
      print("Held by no test: " + withoutTest.joined(separator: " "))
    }
  }
}

@Suite("How claims are read")
struct ClaimReaderTests {
  /// The paragraph sign stands for "R-", so that this file claims nothing itself.
  private static func read(_ text: String) -> ClaimReader {
    ClaimReader(text.replacing("§", with: "R-"))
  }

  private static func claims(_ text: String) -> [String] {
    read(text).claims.map { "\($0.id.dropFirst(2)) \($0.test)" }
  }

  @Test("A comment above a test, over lines and other attributes")
  func above() {
    let text = """
      @Suite("Windows")
      struct WindowTests {
        // §A-1, §A-2,
        /// §A-3
        @available(macOS 15, *)
        @Test("A title", arguments: [1, 2])
        func grows(by step: Int) throws {
          #expect(step > 0)
        }
      }
      """
    let tests = ["A-1", "A-2", "A-3"].map { "\($0) WindowTests.grows" }
    #expect(Self.claims(text) == tests)
    #expect(Self.read(text).orphans.isEmpty)
  }

  @Test("A title, also on a line of its own")
  func title() {
    let text = """
      struct WindowTests {
        @Test("§A-1, §A-2: it grows")
        func grows() {
        }

        @Test(
          "§A-3: it does not shrink",
          arguments: [true, false])
        func keeps(_ value: Bool) async { #expect(value) }
      }
      """
    #expect(
      Self.claims(text) == ["A-1 WindowTests.grows", "A-2 WindowTests.grows", "A-3 WindowTests.keeps"])
  }

  @Test("A comment inside a test, but not inside another function")
  func inside() {
    let text = """
      extension WindowTests {
        @Test("It grows")
        func grows() {
          if true {
            // §A-1: by a factor.
          }
        }

        private func helper() {
          // §A-2
        }
      }
      """
    #expect(Self.claims(text) == ["A-1 WindowTests.grows"])
    #expect(Self.read(text).orphans == [10])
  }

  @Test("A suite, by its title or a comment above it")
  func suite() {
    let text = """
      /// §A-1
      @Suite("§A-2: windows")
      struct WindowTests {
      }
      """
    #expect(Self.claims(text) == ["A-1 WindowTests", "A-2 WindowTests"])
  }

  @Test("A mention in a sentence claims nothing, above a test, inside and in a title")
  func mention() {
    let text = """
      struct WindowTests {
        // As §A-1 has it.
        // §A-2 says so.
        @Test("It grows, see §A-3")
        func grows() {
          // This is no matter of §A-4.
          #expect(name == "§A-5")
        }
      }
      """
    #expect(Self.claims(text).isEmpty)
    #expect(Self.read(text).orphans.isEmpty)
  }

  @Test(
    "A claim that a blank line or a declaration parts from its test is an orphan",
    arguments: ["", "let x = 1"])
  func orphan(between line: String) {
    let text = """
      struct WindowTests {
        // §A-1
        \(line)
        @Test("It grows")
        func grows() {
        }
      }
      """
    #expect(Self.claims(text).isEmpty)
    #expect(Self.read(text).orphans == [2])
  }
}
