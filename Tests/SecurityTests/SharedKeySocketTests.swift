#if Authentication
  import NIOCore
  import RaftTransport
  import RaftTransportTesting
  import StreamMux
  import Synchronization
  import Testing

  @Suite("A shared key on real sockets", .serialized, .timeLimit(.minutes(5)))
  struct SharedKeySocketTests {
    private let keyed = TransportSecurity.sharedKey(SharedKeys(.random()))

    // R-PAIR-14
    @Test("Two servers with one key call each other on one connection, since they come from where they live")
    func bothDirections() async throws {
      let one = try await listen("a", keyed)
      let other = try await listen("b", keyed)
      try await closing(one, other) {
        let echoes = [EchoConsumer(one), EchoConsumer(other)]
        try await one.proveCall(to: other, as: "b")
        try await other.proveCall(to: one, as: "a")
        #expect(await one.connections(to: "b").count == 1)
        #expect(await other.connections(to: "a").count == 1)
        for echo in echoes { await echo.stop() }
      }
    }

    // R-PAIR-13, R-PAIR-15
    @Test("A key alone gives no route: who has it and claims another one's name gets none of its calls")
    func memberThief() async throws {
      let caller = try await listen("m", keyed)
      let victim = try await listen("v", keyed)
      // The thief has the key, says that it is the victim, and advertises the address where the victim does not live.
      let thief = try await listen("v", keyed) { $0.advertisedAddress = "127.0.0.2:1" }
      try await closing(caller, victim, thief) {
        let echoes = (EchoConsumer(victim), EchoConsumer(thief), EchoConsumer(caller))
        try await thief.proveCall(to: caller, as: "m")
        try await caller.proveCall(to: victim, as: "v")
        #expect(echoes.0.counts.appendEntries == 1)
        #expect(echoes.1.counts.appendEntries == 0)
        await echoes.0.stop()
        await echoes.1.stop()
        await echoes.2.stop()
      }
    }

    // R-SEC-2
    @Test("Another key, or none, is refused, and both sides say why", arguments: [true, false])
    func refusals(hasOtherKey: Bool) async throws {
      let (callerLog, calleeLog) = (LogCapture(), LogCapture())
      let caller = try await listen(
        "a", hasOtherKey ? .sharedKey(SharedKeys(.random())) : .plaintext, log: callerLog)
      let callee = try await listen("b", keyed, log: calleeLog)
      try await closing(caller, callee) {
        let word = hasOtherKey ? "the proof is wrong" : "no common authentication method"
        let error = try await failure("the call") { try await caller.proveCall(to: callee, as: "b") }
        #expect(error.code == .unauthenticated, "\(error)")
        #expect(error.delivery == .notDelivered)
        #expect(error.message.contains(word), "\(error)")
        try await callerLog.expect(word, level: .warning)
        try await calleeLog.expect(word, level: .warning)

        let reverse = try await failure("the call back") { try await callee.proveCall(to: caller, as: "a") }
        #expect(reverse.code == .unauthenticated, "\(reverse)")
      }
    }

    // R-SEC-9, R-SEC-14
    @Test("A middleman who strikes the key from the HELLOs breaks the connection and changes nothing")
    func downgrade() async throws {
      let log = LogCapture()
      let caller = try await listen("a", keyed)
      let callee = try await listen("b", keyed, log: log)
      let edited = Mutex(Set<EditingRelay.Direction>())
      let relay = try await EditingRelay.start(to: callee.port) { direction, bytes in
        guard edited.withLock({ $0.insert(direction).inserted }) else { return bytes }
        var changed = bytes
        let methods = ProtocolConstants.preface.count + ProtocolConstants.headerLength + 12
        changed.setInteger(AuthenticationMethods.none.rawValue, at: changed.readerIndex + methods)
        return changed
      }
      try await closing(caller, callee) {
        let error = try await failure("the call") { try await caller.proveCall(to: "b", at: relay.address) }
        #expect(error.code == .unauthenticated, "\(error)")
        try await log.expect("unauthenticated", level: .warning)
        #expect(await callee.statistics().connections.isEmpty)
      }
      await relay.close()
    }
  }
#endif
