import NIOCore
import StreamMux

/// What one connection demands of its peer: a function of the configuration and of what lies below the engine.
struct ConnectionSecurity: Sendable {
  /// What lies between the engine and the socket.
  enum Layer: Sendable {
    case plaintext
    case tls
  }

  let layer: Layer
  /// What HELLO offers. None at all on a connection that is only there to say that it is not wanted (R-SEC-15).
  let methods: AuthenticationMethods
  private let security: TransportSecurity

  init(_ security: TransportSecurity, layer: Layer) {
    self.security = security
    self.layer = layer
    methods = security.methods(on: layer)
  }

  /// For connections that demand nothing.
  static let plaintext = ConnectionSecurity(.plaintext, layer: .plaintext)

  /// Why a peer that has shown what the agreed method asks for is not believed all the same.
  ///
  /// - Parameter certificate: What it has shown below the engine.
  func objection(to hello: Hello, _ agreement: Agreement, certificate: PeerCertificate?) -> Refusal? {
    // The agreement is of methods that both offered; that the layer below bears it out is looked at once more, since
    // everything else rests on it.
    guard methods.contains(AuthenticationMethods(agreement.method)) else {
      return Refusal(code: .unauthenticated, text: "\(agreement.method) was not offered")
    }
    guard agreement.method == .tls else { return nil }
    guard layer == .tls, let certificate else {
      return Refusal(code: .unauthenticated, text: "no certificate was shown")
    }
    let id = ServerID(hello.serverID)
    guard security.certificate(certificate, isThatOf: id, in: hello.clusterID) else {
      return Refusal(
        code: .unauthenticated,
        text: "the certificate does not name server \(id) of cluster \(hello.clusterID.printable); it names "
          + certificate.summary)
    }
    return nil
  }

  /// Our proof; called only where the shared key was agreed on.
  func proof(_ context: ProofContext) -> [UInt8] {
    #if Authentication
      if case .sharedKey(let keys) = security.protection { return HandshakeProof.make(context, keys.proving) }
    #endif
    preconditionFailure("a method with proofs was agreed on, though none is offered")
  }

  /// Whether the peer's proof is right; called only where the shared key was agreed on.
  func isValid(_ proof: [UInt8], _ context: ProofContext) -> Bool {
    #if Authentication
      if case .sharedKey(let keys) = security.protection {
        return HandshakeProof.isValid(proof, context, keys.accepted)
      }
    #endif
    return false
  }
}

extension TransportSecurity {
  /// What is offered to peers (R-SEC-1, R-SEC-2).
  fileprivate func methods(on layer: ConnectionSecurity.Layer) -> AuthenticationMethods {
    switch (protection, layer) {
    case (.plaintext, .plaintext): return .none
    case (.plaintext, .tls): return []
    #if Authentication
      case (.tls, .tls): return .tls
      case (.tls, .plaintext): return migration.acceptsPlaintext ? .none : []
      case (.sharedKey, .plaintext): return migration.acceptsPlaintext ? [.sharedKey, .none] : .sharedKey
      case (.sharedKey, .tls): return []
    #endif
    }
  }

  fileprivate func certificate(
    _ certificate: PeerCertificate, isThatOf id: ServerID, in clusterID: String
  ) -> Bool {
    #if Authentication
      if case .tls(_, let check) = protection { return check.admits(certificate, as: id, in: clusterID) }
    #endif
    return false
  }
}
