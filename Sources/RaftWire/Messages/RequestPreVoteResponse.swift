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

extension RequestPreVoteResponse: WireResponse {
  package static var blank: RequestPreVoteResponse { RequestPreVoteResponse() }
  package static let declaredFields: [WireField] =
    WireField.header + [.term, .granted]

  package mutating func decode(
    _ field: WireField, from reader: inout WireReader
  ) throws(WireError) -> Bool {
    switch field {
    case .term: term = try reader.readUInt64()
    case .granted: granted = try reader.readBool()
    default: return try header.decode(field, from: &reader)
    }
    return true
  }

  package func encode<Sink: ByteSink>(into writer: inout WireWriter<Sink>) throws(WireError) {
    writer.beginMessage(ownFields: 2)
    writer.address(of: header)
    writer.field(.granted, boolean: granted)
    writer.id(of: header)
    writer.protocolVersion(of: header)
    writer.field(.term, unsigned: term)
  }
}
