import ConformanceSuite
import NIOCore
import Testing

/// The conformance suite against an endpoint that was written from the specification alone, with hashicorp/raft 1.1.2 on
/// top of it: what passes here is no habit of our own engine.
@Suite("The Go endpoint and the conformance suite", .serialized)
struct GoConformanceTests {
  /// What the endpoint does not do, by the titles of the cases, each with the reason. All of it is the library's: its
  /// messages are not the endpoint's business.
  private static let differences: [String: String] = [
    "answers RequestPreVote": "1.1.2 has no pre-vote, and closes",
    "answers requests of several types on one stream": "a pre-vote is among them",
    "writes its answer to a pre-vote in the same way": "1.1.2 has no pre-vote, and closes",
    "stops what it cannot read, and resets its half with the same code":
      "the library closes what it cannot read, which is no RESET",
    "reads a key in a binary format": "the older decoder refuses it: payloads.md, section 4",
    "reads a skipped map whose key is an array": "the older decoder refuses it: payloads.md, section 4",
    "ends the stream alone after an empty key": "the older decoder takes it: payloads.md, section 4",
    "ends the stream alone after a key that is nil": "the older decoder takes it: payloads.md, section 4",
    "ends the stream alone after a skipped time of 5 bytes":
      "the older decoder takes it: payloads.md, section 4",
    "ends the stream alone after 1,100 levels of nesting":
      "the older decoder has no limit: payloads.md, section 4",
    "stops a message that is larger than any it takes": "the library has no largest message",
  ]

  /// A count of 2^32 - 1 makes the older decoder ask for more memory than there is, and its process die.
  private static let lethal = "ends the stream alone after an array that claims 2^32 - 1 elements"

  private static let needsChecksums = "checksums"

  private static func isDifferent(_ item: ConformanceCase) -> Bool { differences[item.title] != nil }

  private func run(
    _ cases: [ConformanceCase], checksum: Bool = false, seconds: Int64
  ) async throws -> [CaseResult] {
    let (go, address) = try await GoPeer.listening(
      GoListening(transport: .rmux, server: "go", cluster: "conformance", checksum: checksum))
    let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
    let settings = SuiteSettings(
      clusterID: "conformance", serverID: "suite", targetID: "go", caseLimit: .seconds(seconds),
      concurrency: 8)
    let results = await SuiteRunner(target: .server(host: "127.0.0.1", port: port), settings: settings).run(
      cases)
    // It is still there.
    _ = try await go.statistics()
    await go.end()
    return results
  }

  private func check(_ results: [CaseResult]) {
    for result in results where result.hasFailed {
      Issue.record("\(TextReport.lines(result).joined(separator: "\n"))")
    }
    #expect(!results.contains { if case .skipped = $0.outcome { true } else { false } })
    print("Conformance of the Go endpoint: \(TextReport.summary(SuiteTally(results)))")
  }

  private static var cases: [ConformanceCase] {
    Cases.all.filter { $0.subjects.contains(.server) && $0.title != lethal }
  }

  @Test("as a server it passes all cases but those that are listed")
  func server() async throws {
    check(
      try await run(
        Self.cases.filter { $0.section != Self.needsChecksums && !Self.isDifferent($0) }, seconds: 30))
  }

  @Test("and also with checksums")
  func checksums() async throws {
    let sections = [Self.needsChecksums, "framing", "fields", "cuts", "halves", "flow"]
    check(
      try await run(
        Self.cases.filter { sections.contains($0.section) && !Self.isDifferent($0) }, checksum: true,
        seconds: 30))
  }

  @Test("what is listed it does not do")
  func listed() async throws {
    let listed = Self.cases.filter(Self.isDifferent)
    #expect(Set(listed.map(\.title)) == Set(Self.differences.keys))
    for result in try await run(listed, seconds: 3) {
      #expect(result.hasFailed, "'\(result.item.title)' can go from the list")
    }
  }
}
