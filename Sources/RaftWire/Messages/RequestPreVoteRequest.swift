/// A server's question whether it would win an election, asked without raising any term (1.7 and later).
public struct RequestPreVoteRequest: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The term the server would stand in.
  public var term: UInt64
  /// The index of the server's last entry.
  public var lastLogIndex: UInt64
  /// The term of the server's last entry.
  public var lastLogTerm: UInt64

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    lastLogIndex: UInt64 = 0,
    lastLogTerm: UInt64 = 0
  ) {
    self.header = header
    self.term = term
    self.lastLogIndex = lastLogIndex
    self.lastLogTerm = lastLogTerm
  }
}
