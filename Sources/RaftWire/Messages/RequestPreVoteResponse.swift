/// A voter's answer to ``RequestPreVoteRequest`` (1.7 and later).
public struct RequestPreVoteResponse: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The voter's term.
  public var term: UInt64
  /// Whether the vote would be given.
  public var granted: Bool

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    granted: Bool = false
  ) {
    self.header = header
    self.term = term
    self.granted = granted
  }
}
