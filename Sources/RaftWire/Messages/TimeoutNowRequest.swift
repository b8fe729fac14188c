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

extension TimeoutNowRequest: WireRequest {
  package static var rpcType: RPCType { .timeoutNow }
  package static var blank: TimeoutNowRequest { TimeoutNowRequest() }
  package static var declaredFields: [WireField] { WireField.header }

  package mutating func decode(
    _ field: WireField, from reader: inout WireReader
  ) throws(WireError) -> Bool {
    try header.decode(field, from: &reader)
  }

  package func encode<Sink: ByteSink>(into writer: inout WireWriter<Sink>) throws(WireError) {
    writer.beginMessage(ownFields: 0)
    writer.address(of: header)
    writer.id(of: header)
    writer.protocolVersion(of: header)
  }
}
