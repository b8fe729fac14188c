package import NIOCore

/// What the owner of a ``Handshake`` does, in the order of the list.
package enum HandshakeAction: Equatable, Sendable {
  case sendPreface
  /// HELLO, AUTH or WELCOME; GOAWAY if the handshake fails behind our accepting WELCOME.
  case send(Frame)
  /// Our accepting WELCOME was sent: from here on our frames may have checksums.
  case endOutgoingHandshake(isChecksummed: Bool)
  /// The peer's accepting WELCOME was read: from here on its frames may have checksums.
  case endIncomingHandshake(isChecksummed: Bool)
  /// Answer with ``Handshake/provideProof(_:)``.
  case computeProof(ProofContext)
  /// Answer with ``Handshake/proofWasChecked(isValid:)``.
  case verifyProof([UInt8], ProofContext)
  /// Answer with ``Handshake/accept(grantsRoute:)`` or ``Handshake/refuse(_:)``, now or later.
  case peerAuthenticated(Hello, Agreement)
  /// Both accepted. `grantsRoute` is that of the acceptor's WELCOME, and false at the acceptor.
  case established(grantsRoute: Bool)
  /// The peer refused: nothing more is sent.
  case refusedByPeer(Refusal)
  /// We refused: half-close behind what was sent, read to the end, close.
  case refused(Refusal)
  /// The peer broke the protocol or was too slow: like ``refused(_:)``.
  case failed(Violation)
}

/// What a proof is about: who proves, and both HELLOs as they were on the wire.
package struct ProofContext: Equatable, Sendable {
  /// Whose proof it is; a proof of one role is worth nothing for the other.
  package let prover: Role
  /// The payload of the dialler's HELLO.
  package let diallerHello: ByteBuffer
  /// The payload of the acceptor's HELLO.
  package let acceptorHello: ByteBuffer

  package init(prover: Role, diallerHello: ByteBuffer, acceptorHello: ByteBuffer) {
    self.prover = prover
    self.diallerHello = diallerHello
    self.acceptorHello = acceptorHello
  }
}
