#if Authentication
  import Logging
  import RaftTransport
  import RaftTransportTesting
  import Testing

  @Suite("From plaintext to TLS without a pause", .serialized, .timeLimit(.minutes(5)))
  struct MigrationTests {
    private let certificates: TestCertificates

    init() throws {
      certificates = try TestCertificates()
    }

    /// The steps of the change, in their order.
    private func step(_ number: Int, _ id: String) throws -> TransportSecurity {
      let tls = TransportSecurity.tls(try certificates.credentials(id))
      return switch number {
      case 0: .plaintext
      case 1: tls.migrating(.diallingPlaintext)
      case 2: tls.migrating(.acceptingPlaintext)
      default: tls
      }
    }

    @Test(
      "Servers at the same or the next step call each other, both ways",
      arguments: [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3)])
    func neighbours(one: Int, other: Int) async throws {
      let first = try await listen("a", try step(one, "a"))
      let second = try await listen("b", try step(other, "b"))
      try await closing(first, second) {
        let echoes = [EchoConsumer(first), EchoConsumer(second)]
        try await first.proveCall(to: second, as: "b")
        try await second.proveCall(to: first, as: "a")
        // Also when nothing stands yet that the other side could use.
        await first.closeStreams()
        await second.closeStreams()
        try await second.proveCall(to: first, as: "a")
        try await first.proveCall(to: second, as: "b")
        // Whoever runs the change can see how far it is.
        let methods = await second.statistics().connections.map(\.method)
        #expect(methods.contains(other < 2 ? .plaintext : .tls))
        if one >= 2 || other < 2 { #expect(Set(methods).count == 1) }
        for echo in echoes { await echo.stop() }
      }
    }

    // R-SEC-21
    @Test("A migration is announced in the log, and so is each connection in plaintext")
    func loud() async throws {
      let log = LogCapture()
      let caller = try await listen("a", .plaintext)
      let callee = try await listen("b", try step(2, "b"), log: log)
      try await closing(caller, callee) {
        let echo = EchoConsumer(callee)
        #expect(log.contains("a migration allows plaintext", level: .warning))
        try await caller.proveCall(to: callee, as: "b")
        #expect(
          log.contains("a peer speaks plaintext, which the migration allows", "peer=a", level: .warning))
        await echo.stop()
      }
    }

    // R-SEC-9
    @Test("Who has dialled with TLS is not met in plaintext again")
    func noWayBack() async throws {
      let callee = try await listen("b", try step(2, "b"))
      let better = try await listen("a", try step(3, "a"))
      let echo = EchoConsumer(callee)
      try await closing(callee) {
        try await closing(better) { try await better.proveCall(to: callee, as: "b") }
        let worse = try await listen("a", .plaintext)
        try await closing(worse) {
          let error = try await failure("the call in plaintext") {
            try await worse.proveCall(to: callee, as: "b")
          }
          #expect(error.code == .unauthenticated, "\(error)")
          #expect(error.message.contains("does not go back to plaintext"), "\(error)")
        }
        // Others who have never done better still may.
        let other = try await listen("c", .plaintext)
        try await closing(other) { try await other.proveCall(to: callee, as: "b") }
      }
      await echo.stop()
    }

    @Test("Plaintext alone has nothing to migrate from")
    func plaintextAlone() async throws {
      let error = try await failure("listening") {
        try await listen("a", TransportSecurity.plaintext.migrating(.acceptingPlaintext))
      }
      #expect(error.code == .badConfiguration)
    }
  }
#endif
