/// How peers show who they are, and whether what they say is protected on its way.
///
/// One value says all of it. Nothing weaker than what it names is spoken or accepted, unless ``migrating(_:)`` allows
/// plaintext for the time of a change:
///
///     configuration.security = .tls(try TLSCredentials(
///       certificateFile: "node-1.pem", privateKeyFile: "node-1.key", trustRootsFile: "ca.pem"))
///
/// The page `security` of the specification says what each way protects from.
public struct TransportSecurity: Sendable {
  enum Protection: Sendable {
    case plaintext
    #if Authentication
      case tls(TLSCredentials, CertificateCheck)
      case sharedKey(SharedKeys)
    #endif
  }

  let protection: Protection
  private(set) var migration = Migration.none
  private(set) var authorization: (@Sendable (VerifiedPeer) async -> PeerVerdict)?

  private init(_ protection: Protection) {
    self.protection = protection
  }

  /// No protection: whoever reaches the port can speak, and whoever can change packets can do everything. A peer's
  /// claim is checked against its address before our calls use a connection that it made.
  public static let plaintext = TransportSecurity(.plaintext)

  #if Authentication
    /// Mutual TLS 1.3: both sides show a certificate, which must lead to a trust root and name the server ID.
    ///
    /// - Parameters:
    ///   - credentials: This server's certificate and key, and whom it trusts; they can be reloaded while the
    ///     transport runs.
    ///   - check: How a certificate is bound to a server ID.
    public static func tls(
      _ credentials: TLSCredentials, check: CertificateCheck = .subjectAlternativeName
    ) -> TransportSecurity {
      TransportSecurity(.tls(credentials, check))
    }

    /// A key that the whole cluster has: peers prove in the handshake that they know it.
    ///
    /// It proves membership, not which server a peer is, and protects none of the bytes that follow: whoever can
    /// change packets can take a connection over behind the proof. For networks that are private but not empty.
    ///
    /// - Parameter keys: The keys; they can be replaced while the transport runs.
    public static func sharedKey(_ keys: SharedKeys) -> TransportSecurity {
      TransportSecurity(.sharedKey(keys))
    }
  #endif

  /// What is still allowed while a running cluster changes from plaintext to something better.
  ///
  /// With TLS, give every server ``diallingPlaintext`` first, one after the other; when all have it, give every server
  /// ``acceptingPlaintext``; when all have that, ``none``. At no moment do two servers fail to understand each other,
  /// and no server ever falls back by itself. With a shared key, one round of ``acceptingPlaintext`` is enough.
  public struct Migration: Sendable, Hashable {
    let acceptsPlaintext: Bool
    let dialsPlaintext: Bool

    /// Nothing weaker than what is configured.
    public static let none = Migration(acceptsPlaintext: false, dialsPlaintext: false)

    /// Peers that know nothing better may speak plaintext; this server dials with what is configured. With a shared
    /// key, the proof is used wherever the peer offers it.
    public static let acceptingPlaintext = Migration(acceptsPlaintext: true, dialsPlaintext: false)

    /// The same, and this server dials in plaintext, since its peers may not understand anything better yet.
    public static let diallingPlaintext = Migration(acceptsPlaintext: true, dialsPlaintext: true)
  }

  /// The same security with plaintext allowed for the time of a change.
  ///
  /// As long as it is set anybody who reaches the port can speak. The transport logs a warning when it starts and for
  /// each connection in plaintext.
  public func migrating(_ step: Migration) -> TransportSecurity {
    var copy = self
    copy.migration = step
    return copy
  }

  /// The same security with a last word about each peer.
  ///
  /// - Parameter verdict: Asked once for each connection, of both directions, when everything else is in order and
  ///   before the peer may open a stream. It may take its time within the five seconds of a handshake; its task is
  ///   cancelled when these are over.
  public func authorizing(
    _ verdict: @escaping @Sendable (VerifiedPeer) async -> PeerVerdict
  ) -> TransportSecurity {
    var copy = self
    copy.authorization = verdict
    return copy
  }
}

extension TransportSecurity {
  /// Whether peers of the old protocol, which can show nothing of themselves, may be served and dialled.
  var allowsUnprotectedPeers: Bool {
    if case .plaintext = protection { true } else { migration.acceptsPlaintext }
  }
}
