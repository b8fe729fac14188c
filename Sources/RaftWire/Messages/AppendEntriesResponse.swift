/// A follower's answer to ``AppendEntriesRequest``.
public struct AppendEntriesResponse: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The follower's term; a greater one makes the leader step down.
  public var term: UInt64
  /// The index of the follower's last entry, a hint for where to go on.
  public var lastLog: UInt64
  /// Whether the entries were appended.
  public var success: Bool
  /// Whether a failed append may be tried again at once.
  public var noRetryBackoff: Bool

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    lastLog: UInt64 = 0,
    success: Bool = false,
    noRetryBackoff: Bool = false
  ) {
    self.header = header
    self.term = term
    self.lastLog = lastLog
    self.success = success
    self.noRetryBackoff = noRetryBackoff
  }
}
