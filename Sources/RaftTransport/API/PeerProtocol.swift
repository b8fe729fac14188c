/// What two servers speak with each other.
public struct PeerProtocol: Hashable, Sendable, CustomStringConvertible {
  /// The text for logs.
  public let description: String

  private init(_ description: String) {
    self.description = description
  }

  /// RMUX/1: one connection with streams.
  public static let rmux = PeerProtocol("RMUX/1")

  /// hashicorp/raft's own protocol: a few connections, each with one request at a time. Its connections have no
  /// handshake, so that nothing is known of who is at the other end.
  public static let classic = PeerProtocol("classic")
}
