#if Authentication
  import RaftTransport
  import RaftTransportTesting
  import Synchronization
  import Testing

  @Suite("The last word about a peer", .serialized, .timeLimit(.minutes(5)))
  struct AuthorizationTests {
    private final class Asked: Sendable {
      private let peers = Mutex<[VerifiedPeer]>([])

      var all: [VerifiedPeer] { peers.withLock { $0 } }

      func add(_ peer: VerifiedPeer) { peers.withLock { $0.append(peer) } }
    }

    // R-SEC-19
    @Test(
      "Both sides are asked once for a connection, and see what there is to see",
      arguments: ["tls", "key", "none"])
    func asked(kind: String) async throws {
      let certificates = try TestCertificates()
      let keys = SharedKeys(.random())
      func security(_ id: String) throws -> TransportSecurity {
        switch kind {
        case "tls": .tls(try certificates.credentials(id))
        case "key": .sharedKey(keys)
        default: .plaintext
        }
      }
      let (callerAsked, calleeAsked) = (Asked(), Asked())
      let caller = try await listen(
        "a",
        try security("a").authorizing {
          callerAsked.add($0)
          return .admit
        })
      let callee = try await listen(
        "b",
        try security("b").authorizing {
          calleeAsked.add($0)
          return .admit
        })
      try await closing(caller, callee) {
        let echo = EchoConsumer(callee)
        try await caller.proveCall(to: callee, as: "b")
        let (there, here) = (try #require(callerAsked.all.first), try #require(calleeAsked.all.first))
        #expect(callerAsked.all.count == 1 && calleeAsked.all.count == 1)
        #expect(there.id == "b" && here.id == "a")
        #expect(there.isDialled && !here.isDialled)
        #expect(here.clusterID == TestCertificates.cluster)
        #expect(here.advertisedAddress == caller.localAddress)
        #expect(here.sourceAddress == "127.0.0.1")
        let method: VerifiedPeer.Method = kind == "tls" ? .tls : kind == "key" ? .sharedKey : .plaintext
        #expect(there.method == method && here.method == method)
        #expect(here.certificate?.uris == (kind == "tls" ? ["rmux://security/a"] : nil))
        await echo.stop()
      }
    }

    // R-SEC-19
    @Test("Who is not allowed is refused by code and reason, on either side", arguments: [true, false])
    func refused(byCallee: Bool) async throws {
      let (callerLog, calleeLog) = (LogCapture(), LogCapture())
      let refusing = TransportSecurity.plaintext.authorizing { peer in
        .refuse(reason: "\(peer.id) has retired")
      }
      let caller = try await listen("a", byCallee ? .plaintext : refusing, log: callerLog)
      let callee = try await listen("b", byCallee ? refusing : .plaintext, log: calleeLog)
      try await closing(caller, callee) {
        let error = try await failure("the call") { try await caller.proveCall(to: callee, as: "b") }
        let reason = "\(byCallee ? "a" : "b") has retired"
        #expect(error.code == .unauthorized, "\(error)")
        #expect(error.message.contains(reason), "\(error)")
        try await callerLog.expect(reason, level: .warning)
        try await calleeLog.expect(reason, level: .warning)
        #expect(await callee.statistics().connections.isEmpty)
      }
    }

    @Test("Nothing of a peer is served while the answer is awaited")
    func awaited() async throws {
      let gate = AsyncStream.makeStream(of: Void.self)
      let asked = Asked()
      let caller = try await listen("a", .plaintext)
      let callee = try await listen(
        "b",
        TransportSecurity.plaintext.authorizing { peer in
          asked.add(peer)
          for await _ in gate.stream { break }
          return .admit
        })
      try await closing(caller, callee) {
        let echo = EchoConsumer(callee)
        async let call: Void = caller.proveCall(to: callee, as: "b")
        try await eventually("the callee asks") { !asked.all.isEmpty }
        #expect(echo.counts.appendEntries == 0)
        #expect(await callee.statistics().connections.isEmpty)
        gate.continuation.yield()
        try await call
        #expect(echo.counts.appendEntries == 1)
        await echo.stop()
      }
    }

    // R-HSK-32
    @Test(
      "An answer that does not come is not waited for longer than a handshake takes, and its task is cancelled"
    )
    func neverAnswered() async throws {
      let cancelled = Asked()
      let caller = try await listen("a", .plaintext)
      let callee = try await listen(
        "b",
        TransportSecurity.plaintext.authorizing { peer in
          await withTaskCancellationHandler {
            for await _ in AsyncStream<Void>.makeStream().stream { break }
          } onCancel: {
            cancelled.add(peer)
          }
          return .admit
        })
      try await closing(caller, callee) {
        let error = try await failure("the call") { try await caller.proveCall(to: callee, as: "b") }
        #expect(error.delivery == .notDelivered, "\(error)")
        try await eventually("the task is cancelled") { cancelled.all.contains { $0.id == "a" } }
        #expect(await callee.statistics().connections.isEmpty)
      }
    }
  }
#endif
