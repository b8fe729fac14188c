public import NIOCore

/// A candidate's request for a vote.
public struct RequestVoteRequest: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The term the candidate stands in.
  public var term: UInt64
  /// The candidate's address, as peers of protocol versions below 3 name it.
  public var candidate: ByteBuffer?
  /// The index of the candidate's last entry.
  public var lastLogIndex: UInt64
  /// The term of the candidate's last entry.
  public var lastLogTerm: UInt64
  /// Whether the present leader asked the candidate to stand, so that it may disturb a stable term.
  public var leadershipTransfer: Bool

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    candidate: ByteBuffer? = nil,
    lastLogIndex: UInt64 = 0,
    lastLogTerm: UInt64 = 0,
    leadershipTransfer: Bool = false
  ) {
    self.header = header
    self.term = term
    self.candidate = candidate
    self.lastLogIndex = lastLogIndex
    self.lastLogTerm = lastLogTerm
    self.leadershipTransfer = leadershipTransfer
  }
}
