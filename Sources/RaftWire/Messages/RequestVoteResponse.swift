public import NIOCore

/// A voter's answer to ``RequestVoteRequest``.
public struct RequestVoteResponse: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The voter's term.
  public var term: UInt64
  /// The peer set, opaque; filled only by senders of protocol versions below 2.
  public var peers: ByteBuffer?
  /// Whether the vote was given.
  public var granted: Bool

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    peers: ByteBuffer? = nil,
    granted: Bool = false
  ) {
    self.header = header
    self.term = term
    self.peers = peers
    self.granted = granted
  }
}
