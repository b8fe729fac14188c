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

extension TimeoutNowResponse: WireResponse {
  package static var blank: TimeoutNowResponse { TimeoutNowResponse() }
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
