public import NIOCore

/// What every Raft message carries about its sender.
///
/// Byte fields distinguish `nil` (absent) from an empty buffer throughout; peers see the difference.
public struct RPCHeader: Sendable, Hashable {
  /// The Raft protocol version the sender speaks (0...3 in practice; any 64-bit value travels).
  public var protocolVersion: Int64
  /// The sender's server ID. Peers before 1.3.7 neither send nor read it.
  public var id: ByteBuffer?
  /// The sender's advertised address. Peers before 1.3.7 neither send nor read it.
  public var address: ByteBuffer?

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(protocolVersion: Int64 = 0, id: ByteBuffer? = nil, address: ByteBuffer? = nil) {
    self.protocolVersion = protocolVersion
    self.id = id
    self.address = address
  }
}
