/// A follower's answer to ``InstallSnapshotRequest``.
public struct InstallSnapshotResponse: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The follower's term.
  public var term: UInt64
  /// Whether the snapshot was installed.
  public var success: Bool

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    success: Bool = false
  ) {
    self.header = header
    self.term = term
    self.success = success
  }
}
