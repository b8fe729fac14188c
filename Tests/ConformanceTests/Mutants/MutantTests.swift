import ConformanceSuite
import Foundation
import RaftTransport
import Synchronization
import Testing

@Suite("The conformance suite catches mutants")
struct MutantTests {
  /// A mutant that never answers is caught by the limit of a case. Three seconds are many for a healthy peer, but may be
  /// few on a machine that is busy: so what a mutant failed has to be passed by a healthy peer behind the same relay.
  private static let shortLimit: Int64 = 3
  private static let harmless = Mutant(requirement: "none", fault: "does nothing wrong")
  private static let lanes = 16
  /// How many mutants were caught, and how many of them by the first case that cites their requirement.
  private static let focus = Mutex((caught: 0, byFirst: 0))

  /// Healthy servers, one for each kind of mutants, by their ports.
  private struct Servers {
    let plain: Int
    let checksummed: Int
    let keyed: Int

    func port(for mutant: Mutant) -> Int {
      if mutant.hasKey { return keyed }
      return mutant.usesChecksums ? checksummed : plain
    }

    static func withAll<Result>(_ body: (Servers) async throws -> Result) async throws -> Result {
      try await PeersUnderTest.withServer { plain in
        try await PeersUnderTest.withServer(checksums: .always) { checksummed in
          try await PeersUnderTest.withServer(hasKey: true) { keyed in
            try await body(Servers(plain: plain, checksummed: checksummed, keyed: keyed))
          }
        }
      }
    }
  }

  /// Runs cases against a mutant until one fails.
  private static func firstFailure(
    _ mutant: Mutant, _ cases: [ConformanceCase], _ servers: Servers, seconds: Int64 = shortLimit
  ) async throws -> CaseResult? {
    var settings = PeersUnderTest.settings(seconds: seconds, concurrency: 1, hasKey: mutant.hasKey)
    func run(_ target: Stage.Target) async -> CaseResult? {
      for item in cases {
        let result = await SuiteRunner(target: target, settings: settings).run(item)
        if result.hasFailed { return result }
      }
      return nil
    }
    if mutant.subject == .server {
      // The server's table of peers remembers what mutants before this one said.
      settings.serverID += "-\(UInt32.random(in: 0...(.max)))"
      let relay = try await MutantRelay.start(mutant, to: servers.port(for: mutant))
      let result = await run(.server(host: "127.0.0.1", port: relay.port))
      await relay.close()
      return result
    }
    let listener = try await ProbeListener.start()
    let relay = try await MutantRelay.start(mutant, to: listener.port)
    let result = try await PeersUnderTest.withClient(
      of: relay.port, compression: mutant.sendsPlainSnapshots ? .off : .automatic, hasKey: mutant.hasKey
    ) { await run(.client(listener)) }
    await relay.close()
    await listener.close()
    return result
  }

  /// The case that catches a mutant, and that a healthy peer passes under the same conditions. A case that watches a peer
  /// for a while misses what a busy machine made late, so that each gets several chances.
  private static func catching(
    _ mutant: Mutant, _ cases: [ConformanceCase], _ servers: Servers
  ) async throws -> (catching: CaseResult?, notes: [String]) {
    var control = harmless
    (control.subject, control.usesChecksums) = (mutant.subject, mutant.usesChecksums)
    (control.sendsPlainSnapshots, control.hasKey) = (mutant.sendsPlainSnapshots, mutant.hasKey)
    control.manners.isTransparent = mutant.manners.needsWholeFrames || mutant.manners.isTransparent
    var notes: [String] = []
    for seconds in [shortLimit, shortLimit, 2 * shortLimit, 4 * shortLimit] {
      for item in cases {
        guard let failure = try await firstFailure(mutant, [item], servers, seconds: seconds) else {
          continue
        }
        if let doubt = try await firstFailure(control, [item], servers, seconds: seconds) {
          notes += ["a healthy peer, too:"] + TextReport.lines(doubt)
          continue
        }
        // Once more, so that it was not the machine that stood still.
        guard try await firstFailure(mutant, [item], servers, seconds: seconds) != nil else { continue }
        return (failure, notes)
      }
    }
    return (nil, notes)
  }

  private static func cases(for mutant: Mutant) -> [ConformanceCase] {
    Cases.all.filter { item in
      item.requirements.contains(mutant.requirement) && item.subjects.contains(mutant.subject)
        && item.methods.contains(mutant.hasKey ? .sharedKey : .none)
    }
    .sorted { $0.waits < $1.waits }
  }

  /// Several mutants at a time.
  @Test("one for each MUST that a peer can be seen to break", arguments: 0..<lanes)
  func mutants(lane: Int) async throws {
    try await Self.Servers.withAll { servers in
      for (index, mutant) in Mutants.all.enumerated() where index % Self.lanes == lane {
        let cases = Self.cases(for: mutant)
        #expect(!cases.isEmpty, "no case for \(mutant)")
        let (failure, notes) = try await Self.catching(mutant, cases, servers)
        #expect(
          failure != nil, "not caught: \(mutant); tried \(cases.map(\.id)) \(notes.joined(separator: "\n"))")
        guard let failure else { continue }
        let counts = Self.focus.withLock { counts in
          counts.caught += 1
          if failure.item.id == cases.first?.id { counts.byFirst += 1 }
          return counts
        }
        guard counts.caught == Mutants.all.count else { continue }
        print(
          "Conformance: \(counts.byFirst) of \(counts.caught) mutants were caught by the first case that cites them"
        )
      }
    }
  }

  @Test("and not the relay that makes them")
  func relay() async throws {
    let sections = [
      "preface", "framing", "fields", "hello", "agreement", "welcome", "halves", "flow", "chunks", "calls",
    ]
    let cases = Cases.all.filter {
      sections.contains($0.section) && $0.subjects.contains(.server) && $0.methods.contains(.none)
    }
    let failure = try await Self.Servers.withAll { servers in
      try await Self.firstFailure(Self.harmless, cases, servers, seconds: 30)
    }
    if let failure { Issue.record("\(TextReport.lines(failure).joined(separator: "\n"))") }
  }

  private struct Unobserved: Decodable {
    struct Entry: Decodable {
      let id: String
      let reason: String
    }
    let unobserved: [Entry]
  }

  @Test("and what it cannot see is listed with the reason")
  func unobserved() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let table = try JSONDecoder().decode(
      Unobserved.self, from: Data(contentsOf: root.appending(path: "Spec/tables/unobserved.json")))
    let listed = Set(table.unobserved.map(\.id))
    #expect(listed.count == table.unobserved.count)
    for entry in table.unobserved { #expect(entry.reason.count > 20, "\(entry.id)") }
    let musts = Requirements.all.values.filter { $0.isObservable && $0.level.hasPrefix("MUST") }.map(\.id)
    let caught = Set(Mutants.all.map(\.requirement)).intersection(musts)
    #if Authentication
      let needCryptography: Set<String> = []
    #else
      let needCryptography: Set = ["R-HSK-19", "R-SEC-14"]
    #endif
    for id in musts where !needCryptography.contains(id) {
      #expect(caught.contains(id) != listed.contains(id), "\(id) needs a mutant or a reason, and not both")
    }
    #expect(listed.subtracting(musts).isEmpty)
    print(
      "Conformance: \(Mutants.all.count) mutants for \(caught.count) of \(musts.count) observable MUSTs, "
        + "\(listed.count) listed as not seen")
  }
}
