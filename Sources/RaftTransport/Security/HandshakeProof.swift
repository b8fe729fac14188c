#if Authentication
  import Crypto
  import NIOCore
  import StreamMux

  /// The proof that one side knows a key, bound to this connection and to the side (R-SEC-14).
  enum HandshakeProof {
    static func make(_ context: ProofContext, _ key: SharedKey) -> [UInt8] {
      Array(HMAC<SHA256>.authenticationCode(for: message(context), using: key.key))
    }

    /// Whether a proof was made with one of the keys.
    ///
    /// In constant time, and all keys are tried in any case: how long it takes says nothing of a key, nor of which one
    /// fits (R-SEC-3).
    static func isValid(_ proof: [UInt8], _ context: ProofContext, _ keys: [SharedKey]) -> Bool {
      let message = message(context)
      return keys.reduce(false) { isValid, key in
        let fits = HMAC<SHA256>.isValidAuthenticationCode(proof, authenticating: message, using: key.key)
        return fits || isValid
      }
    }

    /// What is authenticated: the label of the prover's role, then both HELLO frames, the dialler's first, each with its
    /// length in front.
    static func message(_ context: ProofContext) -> [UInt8] {
      var message = ByteBuffer(
        string: context.prover == .dialler ? "rmux/1 dialler" : "rmux/1 acceptor")
      for payload in [context.diallerHello, context.acceptorHello] {
        var frame = ByteBuffer()
        // The header is a function of the payload: the decoder refuses every other one (R-FRM-13, R-FRM-18).
        FrameEncoder().write(.hello(payload), into: &frame)
        message.writeInteger(UInt32(frame.readableBytes))
        message.writeImmutableBuffer(frame)
      }
      return Array(buffer: message)
    }
  }
#endif
