#if Authentication
  import NIOCore
  import StreamMux
  import Testing

  @testable import RaftTransport

  /// What somebody without the key can try, byte by byte.
  @Suite("The handshake with a shared key")
  struct KeyHandshakeTests {
    private static let key = SharedKey.random()
    private static let keyed = TransportSecurity.sharedKey(SharedKeys(key))

    /// Where the payload of a HELLO lies in the first bytes of an end.
    private static let helloStart = ProtocolConstants.preface.count + ProtocolConstants.headerLength

    @Test("Two servers with one key establish a connection")
    func sameKey() throws {
      var dialler = try KeyedEnd("a", .dialler, Self.keyed)
      var acceptor = try KeyedEnd("b", .acceptor, Self.keyed)
      KeyedEnd.converse(&dialler, &acceptor)
      #expect(dialler.isEstablished && acceptor.isEstablished)
      #expect(dialler.agreement?.method == .sharedKey)
    }

    // R-HSK-17
    @Test("With another key neither end believes the other")
    func otherKey() throws {
      var dialler = try KeyedEnd("a", .dialler, .sharedKey(SharedKeys(.random())))
      var acceptor = try KeyedEnd("b", .acceptor, Self.keyed)
      KeyedEnd.converse(&dialler, &acceptor)
      #expect(!dialler.isEstablished && !acceptor.isEstablished)
      #expect(dialler.code == .unauthenticated && acceptor.code == .unauthenticated)
    }

    // R-SEC-1, R-SEC-2
    @Test("Who has no key is refused, whoever dials", arguments: [true, false])
    func noKey(diallerHasKey: Bool) throws {
      var dialler = try KeyedEnd("a", .dialler, diallerHasKey ? Self.keyed : .plaintext)
      var acceptor = try KeyedEnd("b", .acceptor, diallerHasKey ? .plaintext : Self.keyed)
      KeyedEnd.converse(&dialler, &acceptor)
      #expect(!dialler.isEstablished && !acceptor.isEstablished)
      #expect(dialler.code == .unauthenticated && acceptor.code == .unauthenticated)
    }

    // R-SEC-14
    @Test("A dialler's own proof, sent back to it, proves nothing")
    func reflection() throws {
      var dialler = try KeyedEnd("a", .dialler, Self.keyed)
      _ = dialler.output()
      // The attacker knows no key, and answers with a HELLO of its own.
      dialler.take(try Self.greeting("b", methods: .sharedKey))
      let proof = dialler.output()
      #expect(proof.readableBytes > 32)
      dialler.take(proof)
      #expect(!dialler.isEstablished)
      #expect(dialler.code == .unauthenticated)
    }

    // R-SEC-14
    @Test("What an honest dialler once said opens no second connection")
    func replayedDialler() throws {
      let recorded = try Self.record().dialler
      var acceptor = try KeyedEnd("b", .acceptor, Self.keyed)
      for piece in recorded {
        acceptor.take(piece)
        _ = acceptor.output()
      }
      #expect(!acceptor.isEstablished)
      #expect(acceptor.code == .unauthenticated)
    }

    // R-SEC-14
    @Test("What an honest acceptor once said convinces no other dialler")
    func replayedAcceptor() throws {
      let recorded = try Self.record().acceptor
      var dialler = try KeyedEnd("a", .dialler, Self.keyed)
      for piece in recorded {
        _ = dialler.output()
        dialler.take(piece)
      }
      #expect(!dialler.isEstablished)
      #expect(dialler.code == .unauthenticated)
    }

    // R-SEC-9, R-SEC-14
    @Test(
      "A middleman who changes one bit of either HELLO, whichever, gets no connection",
      arguments: [true, false])
    func editedHello(ofDialler: Bool) throws {
      var plain = try KeyedEnd("a", .dialler, Self.keyed)
      // The HELLOs of both ends are equally long here.
      let length = plain.output().readableBytes - Self.helloStart
      for position in 0..<length {
        for bit in 0..<8 {
          var dialler = try KeyedEnd("a", .dialler, Self.keyed)
          var acceptor = try KeyedEnd("b", .acceptor, Self.keyed)
          var isDone = false
          KeyedEnd.converse(&dialler, &acceptor) { isDiallers, bytes in
            guard isDiallers == ofDialler, !isDone else { return bytes }
            isDone = true
            var changed = bytes
            let index = changed.readerIndex + Self.helloStart + position
            changed.setInteger(
              (changed.getInteger(at: index, as: UInt8.self) ?? 0) ^ 1 << UInt8(bit), at: index)
            return changed
          }
          #expect(
            !dialler.isEstablished && !acceptor.isEstablished, "byte \(position), bit \(bit) of the HELLO")
        }
      }
    }

    // R-SEC-9
    @Test("A middleman who strikes the method from both HELLOs gets a refusal, not plaintext")
    func strippedMethod() throws {
      var dialler = try KeyedEnd("a", .dialler, Self.keyed)
      var acceptor = try KeyedEnd("b", .acceptor, Self.keyed)
      var edited = 0
      KeyedEnd.converse(&dialler, &acceptor) { _, bytes in
        guard bytes.readableBytes > Self.helloStart + 16, edited < 2 else { return bytes }
        edited += 1
        var changed = bytes
        // Versions (4 bytes) and features (8) come first.
        changed.setInteger(
          AuthenticationMethods.none.rawValue, at: changed.readerIndex + Self.helloStart + 12)
        return changed
      }
      #expect(edited == 2)
      #expect(!dialler.isEstablished && !acceptor.isEstablished)
      #expect(dialler.code == .unauthenticated && acceptor.code == .unauthenticated)
    }

    @Test("A migration uses the proof where both have a key, and plaintext where one has none")
    func migration() throws {
      let migrating = Self.keyed.migrating(.acceptingPlaintext)
      for (one, other, method): (TransportSecurity, TransportSecurity, AuthenticationMethod) in [
        (migrating, migrating, .sharedKey), (migrating, .plaintext, .none), (.plaintext, migrating, .none),
        (migrating, Self.keyed, .sharedKey), (Self.keyed, migrating, .sharedKey),
      ] {
        var dialler = try KeyedEnd("a", .dialler, one)
        var acceptor = try KeyedEnd("b", .acceptor, other)
        KeyedEnd.converse(&dialler, &acceptor)
        #expect(dialler.isEstablished && acceptor.isEstablished)
        #expect(dialler.agreement?.method == method)
      }
    }

    @Test("Each step of a change of keys leaves all servers able to talk")
    func rotation() throws {
      let (old, new) = (SharedKey.random(), SharedKey.random())
      let steps = [
        SharedKeys(old), SharedKeys(old, alsoAccepting: [new]), SharedKeys(new, alsoAccepting: [old]),
        SharedKeys(new),
      ].map { TransportSecurity.sharedKey($0) }
      for (one, other) in [(0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (2, 3), (3, 2)] {
        var dialler = try KeyedEnd("a", .dialler, steps[one])
        var acceptor = try KeyedEnd("b", .acceptor, steps[other])
        KeyedEnd.converse(&dialler, &acceptor)
        #expect(dialler.isEstablished && acceptor.isEstablished, "steps \(one) and \(other)")
      }
      var dialler = try KeyedEnd("a", .dialler, steps[0])
      var acceptor = try KeyedEnd("b", .acceptor, steps[3])
      KeyedEnd.converse(&dialler, &acceptor)
      #expect(!dialler.isEstablished && !acceptor.isEstablished)
    }

    @Test("A HELLO that claims TLS where none is gets nothing")
    func claimedTLS() throws {
      for security in [Self.keyed, .plaintext] {
        var acceptor = try KeyedEnd("b", .acceptor, security)
        acceptor.take(try Self.greeting("a", methods: .tls))
        _ = acceptor.output()
        #expect(acceptor.code == .unauthenticated)
      }
    }

    private static func greeting(_ id: String, methods: AuthenticationMethods) throws -> ByteBuffer {
      let hello = try Hello(
        features: [], methods: methods, incarnation: 1, nonce: .random(), clusterID: "keys", serverID: id)
      var payload = ByteBuffer()
      hello.encode(into: &payload)
      var bytes = ByteBuffer()
      FrameEncoder.writePreface(into: &bytes)
      FrameEncoder().write(.hello(payload), into: &bytes)
      return bytes
    }

    /// What the two ends of an honest connection say.
    private static func record() throws -> (dialler: [ByteBuffer], acceptor: [ByteBuffer]) {
      var dialler = try KeyedEnd("a", .dialler, keyed)
      var acceptor = try KeyedEnd("b", .acceptor, keyed)
      var recorded: (dialler: [ByteBuffer], acceptor: [ByteBuffer]) = ([], [])
      KeyedEnd.converse(&dialler, &acceptor) { isDiallers, bytes in
        if isDiallers { recorded.dialler.append(bytes) } else { recorded.acceptor.append(bytes) }
        return bytes
      }
      #expect(dialler.isEstablished && acceptor.isEstablished)
      return recorded
    }
  }
#endif
