#if Authentication
  import Logging
  import NIOSSL
  import RaftTransport
  import RaftTransportTesting
  import Testing

  /// What two servers with TLS say to each other, and to those who should not be there: each refusal as both sides see it.
  @Suite("TLS", .serialized, .timeLimit(.minutes(5)))
  struct TLSTests {
    private let certificates: TestCertificates

    init() throws {
      certificates = try TestCertificates()
    }

    @Test("Two servers with certificates of one authority call each other on one connection")
    func bothDirections() async throws {
      let one = try await listen("a", .tls(try certificates.credentials("a")))
      let other = try await listen("b", .tls(try certificates.credentials("b")))
      try await closing(one, other) {
        let echoes = [EchoConsumer(one), EchoConsumer(other)]
        try await one.proveCall(to: other, as: "b")
        // R-PAIR-13: the other side calls back on the same connection, since it knows who is there.
        try await other.proveCall(to: one, as: "a")
        try await one.proveCall(to: other, as: "")
        let (there, back) = (await one.connections(to: "b"), await other.connections(to: "a"))
        #expect(there.count == 1 && back.count == 1)
        #expect(there.allSatisfy { $0.carriesCalls } && back.allSatisfy { $0.carriesCalls })
        for echo in echoes { await echo.stop() }
      }
    }

    @Test("A DNS name that is the server ID will do")
    func dnsName() async throws {
      let one = try await listen("a", .tls(try certificates.credentials("a", uris: [], dnsNames: ["a"])))
      let other = try await listen("b", .tls(try certificates.credentials("b", uris: [], dnsNames: ["b"])))
      try await closing(one, other) {
        let echo = EchoConsumer(other)
        try await one.proveCall(to: other, as: "b")
        await echo.stop()
      }
    }

    /// What is wrong with the caller's certificate, and what the two sides read of it.
    struct BadCaller: Sendable, CustomTestStringConvertible {
      let testDescription: String
      let inCallersError: String
      let inCalleesLog: String
      let credentials: @Sendable (TestCertificates) throws -> TLSCredentials
    }

    private static let badCallers = [
      BadCaller(
        testDescription: "of another authority", inCallersError: "does not trust the authority",
        inCalleesLog: "not trusted here"
      ) { try TestCertificates("another").credentials("a", trusting: [$0]) },
      BadCaller(
        testDescription: "expired", inCallersError: "finds our certificate expired", inCalleesLog: "expired"
      ) { try $0.credentials("a", validity: TestCertificates.past) },
      BadCaller(
        testDescription: "not made for clients", inCallersError: "not made for this use",
        inCalleesLog: "not made for this use"
      ) { try $0.credentials("a", isForClients: false) },
    ]

    // R-SEC-10, R-SEC-16
    @Test("A caller whose certificate is bad is refused, and both sides say why", arguments: badCallers)
    func badCaller(_ bad: BadCaller) async throws {
      let (callerLog, calleeLog) = (LogCapture(), LogCapture())
      let caller = try await listen("a", .tls(try bad.credentials(certificates)), log: callerLog)
      let callee = try await listen("b", .tls(try certificates.credentials("b")), log: calleeLog)
      try await closing(caller, callee) {
        let error = try await failure("the call") { try await caller.proveCall(to: callee, as: "b") }
        #expect(error.code == .unauthenticated, "\(error)")
        #expect(error.delivery == .notDelivered)
        #expect(error.message.contains(bad.inCallersError), "\(error)")
        try await callerLog.expect(bad.inCallersError, level: .warning)
        try await calleeLog.expect(bad.inCalleesLog, level: .warning)
        #expect(await callee.statistics().connections.isEmpty)
      }
    }

    // R-SEC-10
    @Test("A server whose certificate is of another authority is not believed")
    func untrustedServer() async throws {
      let stranger = try TestCertificates("a stranger")
      let (callerLog, calleeLog) = (LogCapture(), LogCapture())
      let caller = try await listen("a", .tls(try certificates.credentials("a")), log: callerLog)
      let callee = try await listen(
        "b", .tls(try stranger.credentials("b", trusting: [certificates])), log: calleeLog)
      try await closing(caller, callee) {
        let error = try await failure("the call") { try await caller.proveCall(to: callee, as: "b") }
        #expect(error.code == .unauthenticated, "\(error)")
        #expect(error.message.contains("not trusted here"), "\(error)")
        try await callerLog.expect("not trusted here", level: .warning)
        try await calleeLog.expect("does not trust the authority", level: .warning)
      }
    }

    /// A certificate that is good and names somebody else.
    private static let foreignNames: [[String]] = [
      ["rmux://security/c"], ["rmux://elsewhere/a"], ["rmux://security/a/"], ["https://security/a"], [],
    ]

    // R-SEC-12, R-SEC-13
    @Test(
      "A good certificate that does not name the server is refused, and both sides say whom it names",
      arguments: foreignNames)
    func otherServersCertificate(uris: [String]) async throws {
      let (callerLog, calleeLog) = (LogCapture(), LogCapture())
      // It would not start with the check of its own, which is the first to find the mistake.
      let caller = try await listen(
        "a", .tls(try certificates.credentials("a", uris: uris), check: .custom { _, _ in true }),
        log: callerLog)
      let callee = try await listen("b", .tls(try certificates.credentials("b")), log: calleeLog)
      try await closing(caller, callee) {
        let error = try await failure("the call") { try await caller.proveCall(to: callee, as: "b") }
        #expect(error.code == .unauthenticated, "\(error)")
        #expect(error.message.contains("does not name server a"), "\(error)")
        #expect(error.message.contains(uris.first ?? "no name"), "\(error)")
        try await calleeLog.expect("does not name server a", level: .warning)
        #expect(await callee.statistics().connections.isEmpty)
      }
    }

    // R-SEC-13
    @Test("A dialler does not believe a server that has another server's certificate")
    func impostor() async throws {
      let caller = try await listen("a", .tls(try certificates.credentials("a")))
      let callee = try await listen(
        "b", .tls(try certificates.credentials("c"), check: .custom { _, _ in true }))
      try await closing(caller, callee) {
        for id: ServerID in ["b", ""] {
          let error = try await failure("the call") {
            try await untilNotPaused { try await caller.proveCall(to: callee, as: id) }
          }
          #expect(error.code == .unauthenticated, "\(error)")
          #expect(error.message.contains("does not name server b"), "\(error)")
        }
      }
    }

    @Test("A server that was given another one's certificate says so when it starts")
    func ownName() async throws {
      let credentials = try certificates.credentials("b")
      let error = try await failure("listening") { try await listen("a", .tls(credentials)) }
      #expect(error.code == .badConfiguration)
      #expect(error.message.contains("rmux://security/a") && error.message.contains("rmux://security/b"))
    }

    // R-SEC-15
    @Test("A caller in plaintext is refused by a server with TLS, in words")
    func plaintextCaller() async throws {
      let log = LogCapture()
      let caller = try await listen("a", .plaintext)
      let callee = try await listen("b", .tls(try certificates.credentials("b")), log: log)
      try await closing(caller, callee) {
        let error = try await failure("the call") { try await caller.proveCall(to: callee, as: "b") }
        #expect(error.code == .unauthenticated, "\(error)")
        #expect(error.message.contains("b takes no connections in plaintext"), "\(error)")
        try await log.expect("takes no connections in plaintext", level: .warning)
      }
    }

    @Test("A caller with TLS gets nothing of a server without, and is not served in plaintext instead")
    func plaintextServer() async throws {
      let (callerLog, calleeLog) = (LogCapture(), LogCapture())
      let caller = try await listen("a", .tls(try certificates.credentials("a")), log: callerLog)
      let callee = try await listen("b", .plaintext, log: calleeLog)
      try await closing(caller, callee) {
        let error = try await failure("the call") { try await caller.proveCall(to: callee, as: "b") }
        #expect(error.code == .unreachable, "\(error)")
        #expect(error.message.contains("it may speak no TLS"), "\(error)")
        try await callerLog.expect("it may speak no TLS", level: .warning)
        try await calleeLog.expect("the peer speaks TLS", level: .warning)
      }
    }

    /// Clients that are none of ours.
    struct Stranger: Sendable, CustomTestStringConvertible {
      let testDescription: String
      let hears: String
      let inLog: String
      let configuration: @Sendable (TestCertificates) throws -> TLSConfiguration
    }

    private static let strangers = [
      Stranger(
        testDescription: "without a certificate", hears: "CERTIFICATE_REQUIRED",
        inLog: "the peer shows no certificate"
      ) { try $0.clientConfiguration(nil) },
      Stranger(testDescription: "with TLS 1.2 at most", hears: "PROTOCOL_VERSION", inLog: "speaks no TLS 1.3")
      {
        var configuration = try $0.clientConfiguration($0.issue("a"))
        configuration.maximumTLSVersion = .tlsv12
        return configuration
      },
      Stranger(testDescription: "with another protocol inside", hears: "", inLog: "rmux/1") {
        var configuration = try $0.clientConfiguration($0.issue("a"))
        configuration.applicationProtocols = ["h2"]
        return configuration
      },
      Stranger(testDescription: "with no protocol inside", hears: "", inLog: "rmux/1") {
        var configuration = try $0.clientConfiguration($0.issue("a"))
        configuration.applicationProtocols = []
        return configuration
      },
    ]

    // R-SEC-10, R-SEC-11, R-SEC-16
    @Test("A client is turned away", arguments: strangers)
    func stranger(_ stranger: Stranger) async throws {
      let log = LogCapture()
      let server = try await listen("b", .tls(try certificates.credentials("b")), log: log)
      try await closing(server) {
        let client = try await TLSClient.connect(to: server.port, try stranger.configuration(certificates))
        let errors = try await client.errors()
        #expect(stranger.hears.isEmpty || errors.contains(stranger.hears), "\(errors)")
        try await log.expect(stranger.inLog, level: .warning)
        #expect(await server.statistics().connections.isEmpty)
      }
    }

    // R-SEC-17, R-HSK-32
    @Test("Clients that never finish their handshake are bounded in number and time")
    func endlessHandshakes() async throws {
      let log = LogCapture()
      let server = try await listen("b", .tls(try certificates.credentials("b")), log: log) {
        $0.limits.handshakes = 2
      }
      let friend = try await listen("a", .tls(try certificates.credentials("a")))
      try await closing(server, friend) {
        let echo = EchoConsumer(server)
        var clients: [TLSClient] = []
        for _ in 1...2 {
          let client = try await TLSClient.connect(to: server.port, nil)
          // The head of a TLS record that is never completed.
          try await client.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
          clients.append(client)
        }
        // A third one finds no room, and is not kept.
        try await eventually("the limit was reached") {
          let client = try await TLSClient.connect(to: server.port, nil)
          // It may be closed before it says anything.
          try? await client.send([0x16, 0x03, 0x01])
          _ = try? await client.errors()
          return log.contains("too many connections are in the handshake")
        }
        for client in clients { _ = try await client.errors() }
        // There is room again.
        try await friend.proveCall(to: server, as: "b")
        await echo.stop()
      }
    }
  }

  /// Calls again where an address that failed is left alone for a moment.
  func untilNotPaused<Value>(
    isolation: isolated (any Actor)? = #isolation, _ call: () async throws -> Value
  ) async throws -> Value {
    while true {
      do {
        return try await call()
      } catch let error as TransportError where error.message.contains("is tried again in") {
        // The pause is what is waited for.
        try await Task.sleep(for: .milliseconds(5))
      }
    }
  }
#endif
