public import NIOCore

/// Asks a follower to append log entries; without entries it is a heartbeat or a commit notice.
public struct AppendEntriesRequest: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The leader's term.
  public var term: UInt64
  /// The leader's address, as peers of protocol versions below 3 name it.
  public var leader: ByteBuffer?
  /// The index of the entry just before ``entries`` (`PrevLogEntry` on the wire).
  public var previousLogIndex: UInt64
  /// The term of the entry just before ``entries``.
  public var previousLogTerm: UInt64
  /// The entries to append, in order. `nil` and an empty array differ on the wire, and an element may be `nil`.
  public var entries: [LogEntry?]?
  /// The highest index that the leader knows to be committed.
  public var leaderCommitIndex: UInt64

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    leader: ByteBuffer? = nil,
    previousLogIndex: UInt64 = 0,
    previousLogTerm: UInt64 = 0,
    entries: [LogEntry?]? = nil,
    leaderCommitIndex: UInt64 = 0
  ) {
    self.header = header
    self.term = term
    self.leader = leader
    self.previousLogIndex = previousLogIndex
    self.previousLogTerm = previousLogTerm
    self.entries = entries
    self.leaderCommitIndex = leaderCommitIndex
  }
}
