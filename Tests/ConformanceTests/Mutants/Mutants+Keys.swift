import ConformanceSuite

extension Mutants {
  /// Peers that have a shared key and do not keep to what it is for. There are none in a build without cryptography.
  static let keys: [Mutant] = {
    guard let key = ProofKey(bytes: PeersUnderTest.keyBytes) else { return [] }
    return [
      says("R-SEC-14", "proves with another key") { _, frame in
        frame.type == FrameKind.authentication ? [frame.with { $0.payload[5] ^= 1 }] : nil
      },
      says("R-SEC-14", "proves with another key", as: .client) { _, frame in
        frame.type == FrameKind.authentication ? [frame.with { $0.payload[5] ^= 1 }] : nil
      },
      says("R-HSK-19", "proves the key to everybody") { memory, frame in
        switch frame.type {
        case FrameKind.hello: [frame, .authentication(method: 2, proof: Array(repeating: 1, count: 32))]
        case FrameKind.authentication: []
        default: nil
        }
      },
      takesProofs("R-HSK-17", "takes any proof", key) { _, _ in true },
      takesProofs("R-SEC-14", "takes the proof of the other role", key) { proof, hellos in
        proof == key.proof(of: .acceptor, dialler: hellos.dialler, acceptor: hellos.acceptor)
      },
      says("R-HSK-20", "accepts before it has our proof", as: .client) { _, frame in
        switch frame.type {
        case FrameKind.authentication: [frame, .welcome()]
        case FrameKind.welcome: []
        default: nil
        }
      },
      // The key's bit is taken from what the suite hears, so that both agree on nothing.
      sends("R-HSK-14", "offers plaintext and does not know the key") { $0.methods = 1 },
    ]
  }()

  private static func says(
    _ requirement: String, _ fault: String, as subject: Subject = .server,
    _ change: @escaping @Sendable (inout Mutant.Memory, ProbeFrame) -> [ProbeFrame]?
  ) -> Mutant {
    var mutant = Mutant.says(requirement, fault, as: subject, change)
    mutant.hasKey = true
    return mutant
  }

  private static func sends(
    _ requirement: String, _ fault: String, _ change: @escaping @Sendable (inout ProbeHello) -> Void
  ) -> Mutant {
    var mutant = Mutant.sendsHello(requirement, fault, change)
    mutant.hasKey = true
    return mutant
  }

  /// A server that believes proofs which it should not believe.
  private static func takesProofs(
    _ requirement: String, _ fault: String, _ key: ProofKey,
    _ isBelieved: @escaping @Sendable ([UInt8], (dialler: [UInt8], acceptor: [UInt8])) -> Bool
  ) -> Mutant {
    Mutant(requirement: requirement, fault: fault, hasKey: true) { memory, direction, frame in
      guard direction == .toPeer, frame.type == FrameKind.authentication, frame.payload.first == 2,
        let dialler = memory.hello.map({ ProbeFrame.hello($0).encoded() }),
        let acceptor = memory.peerHello.map({ ProbeFrame.hello($0).encoded() }),
        isBelieved(Array(frame.payload.dropFirst()), (dialler, acceptor))
      else { return nil }
      return Mutant.toPeer(
        .authentication(method: 2, proof: key.proof(of: .dialler, dialler: dialler, acceptor: acceptor)))
    }
  }
}
