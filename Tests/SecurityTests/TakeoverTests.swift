#if Authentication
  import RaftTransport
  import RaftTransportTesting
  import Testing

  /// A valid member of the cluster that wants to be another one.
  @Suite("Taking over a route", .serialized, .timeLimit(.minutes(5)))
  struct TakeoverTests {
    // R-SEC-13, R-PAIR-10
    @Test("A server with a certificate of its own cannot take another one's name, address or connection")
    func takeover() async throws {
      let certificates = try TestCertificates()
      let log = LogCapture()
      let center = try await listen("m", .tls(try certificates.credentials("m")), log: log)
      let victim = try await listen("v", .tls(try certificates.credentials("v")))
      // Says that it is the victim; its certificate says that it is the thief.
      let impostor = try await listen(
        "v", .tls(try certificates.credentials("thief"), check: .custom { _, _ in true })
      ) { $0.advertisedAddress = victim.localAddress }
      // Says who it is, and that it lives where the victim does.
      let squatter = try await listen("thief", .tls(try certificates.credentials("thief"))) {
        $0.advertisedAddress = victim.localAddress
      }
      try await closing(center, victim, impostor, squatter) {
        let echoes = (
          EchoConsumer(victim), EchoConsumer(impostor), EchoConsumer(squatter), EchoConsumer(center)
        )
        try await squatter.proveCall(to: center, as: "m")
        try await center.proveCall(to: victim, as: "v")
        try await center.proveCall(to: victim, as: "")
        let before = await center.connections(to: "v").map(\.localPort)

        let error = try await failure("the impostor's call") {
          try await impostor.proveCall(to: center, as: "m")
        }
        #expect(error.code == .unauthenticated, "\(error)")
        try await log.expect("does not name server v", level: .warning)
        try await squatter.proveCall(to: center, as: "m")

        try await center.proveCall(to: victim, as: "v")
        try await center.proveCall(to: victim, as: "")
        #expect(await center.connections(to: "v").map(\.localPort) == before)
        #expect(echoes.0.counts.appendEntries == 4)
        #expect(echoes.1.counts.appendEntries == 0 && echoes.2.counts.appendEntries == 0)
        await echoes.0.stop()
        await echoes.1.stop()
        await echoes.2.stop()
        await echoes.3.stop()
      }
    }
  }
#endif
