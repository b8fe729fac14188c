public import NIOCore

/// A voter's answer to ``RequestVoteRequest``.
public struct RequestVoteResponse: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The voter's term.
  public var term: UInt64
  /// The peer set, opaque; filled only by senders of protocol versions below 2.
  public var peers: ByteBuffer?
  /// Whether the vote was given.
  public var granted: Bool

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    peers: ByteBuffer? = nil,
    granted: Bool = false
  ) {
    self.header = header
    self.term = term
    self.peers = peers
    self.granted = granted
  }
}

extension RequestVoteResponse: WireResponse {
  package static var blank: RequestVoteResponse { RequestVoteResponse() }
  package static let declaredFields: [WireField] =
    WireField.header + [.term, .peers, .granted]

  package mutating func decode(
    _ field: WireField, from reader: inout WireReader
  ) throws(WireError) -> Bool {
    switch field {
    case .term: term = try reader.readUInt64()
    case .peers: peers = try reader.readBytes()
    case .granted: granted = try reader.readBool()
    default: return try header.decode(field, from: &reader)
    }
    return true
  }

  package func encode<Sink: ByteSink>(into writer: inout WireWriter<Sink>) throws(WireError) {
    writer.beginMessage(ownFields: 3)
    writer.address(of: header)
    writer.field(.granted, boolean: granted)
    writer.id(of: header)
    writer.field(.peers, bytes: peers)
    writer.protocolVersion(of: header)
    writer.field(.term, unsigned: term)
  }
}
