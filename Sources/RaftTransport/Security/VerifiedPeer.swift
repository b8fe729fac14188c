/// What the handshake has shown of a peer, for the decision whether it may speak here.
public struct VerifiedPeer: Sendable, Hashable {
  /// How a peer shows who it is. More ways may come, so a `switch` needs a default.
  public struct Method: Sendable, Hashable, CustomStringConvertible {
    /// The text for logs.
    public let description: String

    private init(_ description: String) {
      self.description = description
    }

    /// Not at all: the ID is what the peer says, at best confirmed by its address.
    public static let plaintext = Method("plaintext")
    /// By a certificate that leads to a trust root and names the server ID.
    public static let tls = Method("TLS")
    /// By the key of the cluster: a member, but not necessarily the one that it says.
    public static let sharedKey = Method("shared key")
  }

  /// The server ID: proven with TLS, else what the peer says.
  public let id: ServerID
  /// The cluster, which is ours.
  public let clusterID: String
  /// Where the peer says that it can be dialled.
  public let advertisedAddress: ServerAddress
  /// The IP address that the connection comes from or goes to, without port; `nil` where the system does not say.
  public let sourceAddress: String?
  /// Whether this side dialled.
  public let isDialled: Bool
  /// How the peer showed who it is.
  public let method: Method
  /// The certificate; with TLS only.
  public let certificate: PeerCertificate?

  /// Describes a peer; for tests of the code that decides.
  public init(
    id: ServerID, clusterID: String, advertisedAddress: ServerAddress = "", sourceAddress: String? = nil,
    isDialled: Bool = false, method: Method, certificate: PeerCertificate? = nil
  ) {
    self.id = id
    self.clusterID = clusterID
    self.advertisedAddress = advertisedAddress
    self.sourceAddress = sourceAddress
    self.isDialled = isDialled
    self.method = method
    self.certificate = certificate
  }
}

/// What becomes of a verified peer.
public enum PeerVerdict: Sendable, Hashable {
  /// It may speak.
  case admit
  /// It may not; the reason, of at most 512 bytes, is logged here and told to the peer.
  case refuse(reason: String)
}

/// A peer's certificate, which leads to one of our trust roots.
public struct PeerCertificate: Sendable, Hashable {
  /// The certificate itself, in DER.
  public let derBytes: [UInt8]
  /// The URIs among its subject alternative names.
  public let uris: [String]
  /// The DNS names among its subject alternative names.
  public let dnsNames: [String]

  /// Describes a certificate; for tests of the code that decides.
  public init(derBytes: [UInt8] = [], uris: [String] = [], dnsNames: [String] = []) {
    self.derBytes = derBytes
    self.uris = uris
    self.dnsNames = dnsNames
  }
}
