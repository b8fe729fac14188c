internal import NIOCore

/// The shared key: what is proven, in which order, and what is not believed. For a peer that has the suite's key.
enum KeyCases {
  static let all: [ConformanceCase] = {
    var section = Section("shared-key")
    section.add(
      "proves the key, and takes our proof", "R-SEC-14", "R-HSK-16", "R-HSK-20", method: .sharedKey
    ) { stage in
      let probe = try await stage.established()
      try await probe.expectService()
    }
    section.add("prefers the key to nothing", "R-HSK-14", method: .sharedKey) { stage in
      let probe = try await stage.established { $0.methods |= 1 }
      try await probe.expectAlive()
    }
    section.add(
      "does not prove anything to a dialler who has not", "R-HSK-19", only: .server, method: .sharedKey
    ) { stage in
      let probe = try await stage.greeted()
      try await probe.expectQuiet(for: Probe.watch) { $0.type == FrameKind.authentication }
      try await probe.authenticate(and: .welcome())
      try await probe.expectAcceptance()
    }
    section.add(
      "proves the key without a wait as a dialler", "R-HSK-19", "R-HSK-16", only: .client, method: .sharedKey
    ) {
      stage in
      let probe = try await stage.greeted()
      let frame = try await probe.expectAuthentication()
      guard let key = stage.settings.key, frame.payload == [ProofKey.method] + (await probe.peerProof(key))
      else {
        throw CaseFailure(expected: "the dialler's proof", actual: hexadecimal(frame.payload))
      }
    }
    section.add("does not accept before it has our proof", "R-HSK-20", method: .sharedKey) { stage in
      let probe = try await stage.greeted()
      try await probe.expectQuiet(for: Probe.watch) { $0.type == FrameKind.welcome }
    }
    for (title, wrong) in wrongProofs {
      section.add("refuses \(title)", "R-HSK-17", "R-SEC-14", method: .sharedKey) { stage in
        let probe = try await stage.greeted()
        guard let key = stage.settings.key else { return }
        if stage.subject == .client { _ = try await probe.expectAuthentication() }
        await probe.send(.authentication(method: ProofKey.method, proof: await wrong(probe, key)))
        // Who was not shown the key is shown nothing.
        let isServer = stage.subject == .server
        let what = "a refusing WELCOME with unauthenticated"
        let frame = try await probe.nextFrame(what)
        if isServer, frame?.type == FrameKind.authentication {
          throw CaseFailure(expected: what, actual: "a proof of the peer's own")
        }
        if let frame { await probe.returnFrame(frame) }
        try await probe.expectRefusal(.unauthenticated)
      }
    }
    section.add("refuses AUTH without a method where the key was agreed on", "R-HSK-17", method: .sharedKey) {
      stage in
      let probe = try await stage.greeted()
      if stage.subject == .client { _ = try await probe.expectAuthentication() }
      await probe.send(.authentication())
      try await probe.expectRefusal(.unauthenticated)
    }
    section.add(
      "refuses a HELLO from which the key was taken, unless it allows plaintext", "R-HSK-13", "R-HSK-14",
      method: .sharedKey
    ) { stage in
      let probe = try await stage.greeted { $0.methods = 1 }
      guard let methods = await probe.peerHello?.methods, methods & 1 == 0 else {
        throw CaseSkipped("the peer allows plaintext, too")
      }
      try await probe.expectRefusal(.unauthenticated)
    }
    return section.cases
  }()

  private static let wrongProofs: [(String, @Sendable (Probe, ProofKey) async -> [UInt8])] = [
    (
      "a proof with a wrong bit",
      { probe, key in await probe.ownProof(key).enumerated().map { $0 == 31 ? $1 ^ 1 : $1 } }
    ),
    ("a proof that is too short", { probe, key in await probe.ownProof(key).dropLast() }),
    ("a proof with a byte behind it", { probe, key in await probe.ownProof(key) + [0] }),
    ("no proof at all", { _, _ in [] }),
    ("a proof of the other side's role", { probe, key in await probe.peerProof(key) }),
    (
      "a proof that was made for another connection",
      { probe, key in
        let (own, peer) = (await probe.helloFrame, await probe.peerHelloFrame)
        // The last bytes of the fixed fields are the nonce.
        let end = ProbeFrame.headerLength + 60
        let other = own.enumerated().map { (end - 16..<end).contains($0) ? $1 ^ 0x5A : $1 }
        return probe.subject == .server
          ? key.proof(of: .dialler, dialler: other, acceptor: peer)
          : key.proof(of: .acceptor, dialler: peer, acceptor: other)
      }
    ),
    (
      "a proof of another HELLO of its own",
      { probe, key in
        let (own, peer) = (await probe.helloFrame, await probe.peerHelloFrame)
        // As if a method had been added on the way.
        let methods = ProbeFrame.headerLength + 15
        let other = peer.enumerated().map { $0 == methods ? $1 ^ 1 : $1 }
        return probe.subject == .server
          ? key.proof(of: .dialler, dialler: own, acceptor: other)
          : key.proof(of: .acceptor, dialler: other, acceptor: own)
      }
    ),
    (
      "a proof with another key",
      { probe, _ in
        guard let other = ProofKey(bytes: (0..<32).map { 0xA0 ^ $0 }) else { return [] }
        return await probe.ownProof(other)
      }
    ),
  ]
}
