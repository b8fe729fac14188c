/// The leader's request to start an election at once (leadership transfer).
public struct TimeoutNowRequest: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader()
  ) {
    self.header = header
  }
}
