/// A server's question whether it would win an election, asked without raising any term (1.7 and later).
public struct RequestPreVoteRequest: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The term the server would stand in.
  public var term: UInt64
  /// The index of the server's last entry.
  public var lastLogIndex: UInt64
  /// The term of the server's last entry.
  public var lastLogTerm: UInt64

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    lastLogIndex: UInt64 = 0,
    lastLogTerm: UInt64 = 0
  ) {
    self.header = header
    self.term = term
    self.lastLogIndex = lastLogIndex
    self.lastLogTerm = lastLogTerm
  }
}

extension RequestPreVoteRequest: WireRequest {
  package static var rpcType: RPCType { .requestPreVote }
  package static var blank: RequestPreVoteRequest { RequestPreVoteRequest() }
  package static let declaredFields: [WireField] =
    WireField.header + [.term, .lastLogIndex, .lastLogTerm]

  package mutating func decode(
    _ field: WireField, from reader: inout WireReader
  ) throws(WireError) -> Bool {
    switch field {
    case .term: term = try reader.readUInt64()
    case .lastLogIndex: lastLogIndex = try reader.readUInt64()
    case .lastLogTerm: lastLogTerm = try reader.readUInt64()
    default: return try header.decode(field, from: &reader)
    }
    return true
  }

  package func encode<Sink: ByteSink>(into writer: inout WireWriter<Sink>) throws(WireError) {
    writer.beginMessage(ownFields: 3)
    writer.address(of: header)
    writer.id(of: header)
    writer.field(.lastLogIndex, unsigned: lastLogIndex)
    writer.field(.lastLogTerm, unsigned: lastLogTerm)
    writer.protocolVersion(of: header)
    writer.field(.term, unsigned: term)
  }
}
