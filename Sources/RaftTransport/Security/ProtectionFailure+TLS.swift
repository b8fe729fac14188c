#if Authentication
  import NIOSSL
  import StreamMux

  extension ProtectionFailure {
    /// Says what an error of the TLS library means to an operator.
    ///
    /// - Parameter isHandshaking: Whether our side of the TLS handshake was not complete yet.
    init(_ error: any Error, isHandshaking: Bool) {
      if let failure = error as? ProtectionFailure {
        self = failure
        return
      }
      let reason = Self.reason(of: error)
      let isOfTLS = error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError
      if let sentence = Self.peersAlerts.first(where: { reason.contains($0.word) })?.sentence {
        self = .refusedByPeer(
          Refusal(code: .unauthenticated, text: "\(sentence) (TLS alert \(reason))"))
      } else if !isOfTLS || reason.contains("EOF") || !isHandshaking {
        let hint =
          isHandshaking
          ? " in the TLS handshake; it may speak no TLS, or not want our certificate: see its log" : ""
        self = .lost("the connection was closed\(hint) (\(reason))")
      } else {
        let sentence = Self.ownReasons.first { reason.contains($0.word) }?.sentence
        self = .refused(
          Refusal(
            code: .unauthenticated, text: "\(sentence ?? "the TLS handshake failed") (\(reason))"))
      }
    }

    private static let ownReasons: [(word: String, sentence: String)] = [
      (
        word: "CERTIFICATE_VERIFY_FAILED",
        sentence:
          "the peer's certificate is of an authority that is not trusted here, expired, not valid yet, "
          + "or not made for this use"
      ),
      ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "the peer shows no certificate"),
      ("WRONG_VERSION_NUMBER", "the peer speaks no TLS; configure both ends with or both without it"),
      ("HTTP_REQUEST", "the peer speaks HTTP; the address or the port is that of another service"),
      ("UNSUPPORTED_PROTOCOL", "the peer speaks no TLS 1.3"),
    ]

    private static let peersAlerts: [(word: String, sentence: String)] = [
      (word: "ALERT_UNKNOWN_CA", sentence: "the peer does not trust the authority of our certificate"),
      ("ALERT_CERTIFICATE_EXPIRED", "the peer finds our certificate expired"),
      ("ALERT_CERTIFICATE_REQUIRED", "the peer wants a certificate of us"),
      ("ALERT_BAD_CERTIFICATE", "the peer does not take our certificate"),
      ("ALERT_UNSUPPORTED_CERTIFICATE", "the peer finds our certificate not made for this use"),
      ("ALERT_CERTIFICATE_REVOKED", "the peer finds our certificate revoked"),
      ("ALERT_CERTIFICATE_UNKNOWN", "the peer does not take our certificate"),
      ("ALERT_ACCESS_DENIED", "the peer denies access"),
      ("ALERT_PROTOCOL_VERSION", "the peer wants another version of TLS than 1.3"),
      ("ALERT_NO_APPLICATION_PROTOCOL", "the peer speaks another protocol inside TLS"),
      ("ALERT_HANDSHAKE_FAILURE", "the peer ended the TLS handshake"),
    ]

    /// The library's own word for what happened, as `CERTIFICATE_VERIFY_FAILED`.
    private static func reason(of error: any Error) -> String {
      let stack: NIOBoringSSLErrorStack? =
        switch error as? NIOSSLError {
        case .handshakeFailed(let below), .shutdownFailed(let below): below.stack
        default: (error as? BoringSSLError)?.stack
        }
      guard let stack, !stack.isEmpty else { return "\(error)" }
      return stack.map { entry in
        // The library writes "Error: NUMBER error:NUMBER:SSL routines:OPENSSL_internal:REASON at FILE:LINE".
        let words = entry.description.split(separator: " ")
        let reason = words.first { $0.contains("OPENSSL_internal:") }?.split(separator: ":").last
        return reason.map(String.init) ?? entry.description
      }.joined(separator: ", ")
    }
  }

  extension BoringSSLError {
    fileprivate var stack: NIOBoringSSLErrorStack? {
      switch self {
      case .sslError(let stack), .unknownError(let stack), .invalidSNIName(let stack),
        .failedToSetALPN(let stack):
        stack
      default: nil
      }
    }
  }
#endif
