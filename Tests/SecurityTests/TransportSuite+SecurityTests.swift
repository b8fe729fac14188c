#if Authentication
  import RaftTransport
  import RaftTransportTesting
  import Testing

  @Suite("The suite for any transport, over TLS and with a shared key")
  struct SecureConformanceTests {
    private static let certificates = try? TestCertificates()
    private static let keys = SharedKeys(.random())

    private static func fixture(isTLS: Bool) -> TransportSuite.Fixture {
      var options = TransportSuite.Options()
      options.pipelineDepth = 16
      return TransportSuite.Fixture(
        options: options,
        // The first call's time holds the handshake, too, and many of these run side by side.
        makeImpatientPair: { try await makePair(timeout: .seconds(2), isTLS: isTLS) },
        makePair: { try await makePair(timeout: .seconds(120), isTLS: isTLS) })
    }

    private static func makePair(timeout: Duration, isTLS: Bool) async throws -> TransportSuite.Pair {
      func node(_ id: ServerID) async throws -> MuxTransport {
        let security: TransportSecurity =
          isTLS
          ? .tls(try #require(certificates).credentials(id.rawValue)) : .sharedKey(keys)
        return try await listen(id, security) {
          $0.timeout = timeout
          $0.snapshotDeadline = .progress(stall: timeout, restore: timeout)
          $0.maxRPCsInFlight = 16
          $0.compression = .on()
        }
      }
      let caller = try await node("caller")
      let callee = try await node("callee")
      return TransportSuite.Pair(
        caller: caller, callee: callee, calleeID: "callee", calleeAddress: callee.localAddress)
    }

    @Test("Over TLS", .serialized, arguments: TransportSuite.checks(for: fixture(isTLS: true)))
    func conformsOverTLS(_ check: TransportSuite.Check) async throws {
      try await check.run(on: Self.fixture(isTLS: true))
    }

    @Test("With a shared key", .serialized, arguments: TransportSuite.checks(for: fixture(isTLS: false)))
    func conformsWithSharedKey(_ check: TransportSuite.Check) async throws {
      try await check.run(on: Self.fixture(isTLS: false))
    }
  }
#endif
