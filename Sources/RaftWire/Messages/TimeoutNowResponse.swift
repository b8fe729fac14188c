/// The answer to ``TimeoutNowRequest``.
public struct TimeoutNowResponse: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader()
  ) {
    self.header = header
  }
}
