import ConformanceSuite
import RaftTransport
import Testing

@Suite("Our own transport passes the conformance suite")
struct OwnTransportTests {
  private func check(_ results: [CaseResult]) {
    for result in results where result.hasFailed {
      Issue.record("\(TextReport.lines(result).joined(separator: "\n"))")
    }
    print("Conformance: \(TextReport.summary(SuiteTally(results)))")
  }

  private static let needsChecksums = "checksums"

  @Test("as a server, strictly")
  func server() async throws {
    let results = try await PeersUnderTest.withServer { port in
      await SuiteRunner(target: .server(host: "127.0.0.1", port: port), settings: PeersUnderTest.settings())
        .run(Cases.all.filter { $0.section != Self.needsChecksums })
    }
    check(results)
    #expect(!results.contains { if case .skipped = $0.outcome { true } else { false } })
  }

  @Test("as a server with checksums, strictly")
  func serverWithChecksums() async throws {
    let sections = [Self.needsChecksums, "framing", "fields", "cuts", "halves", "flow"]
    let results = try await PeersUnderTest.withServer(checksums: .always) { port in
      await SuiteRunner(target: .server(host: "127.0.0.1", port: port), settings: PeersUnderTest.settings())
        .run(Cases.all.filter { sections.contains($0.section) })
    }
    check(results)
    #expect(!results.contains { if case .skipped = $0.outcome { true } else { false } })
  }

  /// Clients make one connection at a time, so several of them share the cases.
  @Test("as a client, strictly", arguments: 0..<6)
  func client(lane: Int) async throws {
    let listener = try await ProbeListener.start()
    let cases = Cases.all.filter { item in
      item.subjects.contains(.client) && item.section != Self.needsChecksums && item.methods.contains(.none)
    }
    let own = cases.enumerated().filter { $0.offset % 6 == lane }.map(\.element)
    let results = try await PeersUnderTest.withClient(of: listener.port) {
      await SuiteRunner(target: .client(listener), settings: PeersUnderTest.settings()).run(own)
    }
    await listener.close()
    check(results)
    #expect(!results.contains { if case .skipped = $0.outcome { true } else { false } })
  }

  #if Authentication
    @Test("as a server with a shared key, strictly")
    func serverWithKey() async throws {
      let results = try await PeersUnderTest.withServer(hasKey: true) { port in
        await SuiteRunner(
          target: .server(host: "127.0.0.1", port: port), settings: PeersUnderTest.settings(hasKey: true)
        )
        .run(Cases.all.filter { $0.section != Self.needsChecksums })
      }
      check(results)
      #expect(results.contains { $0.item.section == "shared-key" })
      #expect(!results.contains { if case .skipped = $0.outcome { true } else { false } })
    }

    @Test("as a client with a shared key, strictly")
    func clientWithKey() async throws {
      let sections = ["shared-key", "hello", "agreement", "auth", "welcome", "client"]
      let listener = try await ProbeListener.start()
      let results = try await PeersUnderTest.withClient(of: listener.port, hasKey: true) {
        await SuiteRunner(target: .client(listener), settings: PeersUnderTest.settings(hasKey: true))
          .run(Cases.all.filter { sections.contains($0.section) })
      }
      await listener.close()
      check(results)
      #expect(!results.contains { if case .skipped = $0.outcome { true } else { false } })
    }
  #endif

  @Test("as a client with checksums, strictly")
  func clientWithChecksums() async throws {
    let listener = try await ProbeListener.start()
    let results = try await PeersUnderTest.withClient(of: listener.port, checksums: .always) {
      await SuiteRunner(target: .client(listener), settings: PeersUnderTest.settings())
        .run(Cases.all.filter { $0.section == Self.needsChecksums })
    }
    await listener.close()
    check(results)
    #expect(!results.contains { if case .skipped = $0.outcome { true } else { false } })
  }
}
