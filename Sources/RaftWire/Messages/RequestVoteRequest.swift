public import NIOCore

/// A candidate's request for a vote.
public struct RequestVoteRequest: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The term the candidate stands in.
  public var term: UInt64
  /// The candidate's address, as peers of protocol versions below 3 name it.
  public var candidate: ByteBuffer?
  /// The index of the candidate's last entry.
  public var lastLogIndex: UInt64
  /// The term of the candidate's last entry.
  public var lastLogTerm: UInt64
  /// Whether the present leader asked the candidate to stand, so that it may disturb a stable term.
  public var leadershipTransfer: Bool

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    candidate: ByteBuffer? = nil,
    lastLogIndex: UInt64 = 0,
    lastLogTerm: UInt64 = 0,
    leadershipTransfer: Bool = false
  ) {
    self.header = header
    self.term = term
    self.candidate = candidate
    self.lastLogIndex = lastLogIndex
    self.lastLogTerm = lastLogTerm
    self.leadershipTransfer = leadershipTransfer
  }
}

extension RequestVoteRequest: WireRequest {
  package static var rpcType: RPCType { .requestVote }
  package static var blank: RequestVoteRequest { RequestVoteRequest() }
  package static let declaredFields: [WireField] =
    WireField.header + [.term, .candidate, .lastLogIndex, .lastLogTerm, .leadershipTransfer]

  package mutating func decode(
    _ field: WireField, from reader: inout WireReader
  ) throws(WireError) -> Bool {
    switch field {
    case .term: term = try reader.readUInt64()
    case .candidate: candidate = try reader.readBytes()
    case .lastLogIndex: lastLogIndex = try reader.readUInt64()
    case .lastLogTerm: lastLogTerm = try reader.readUInt64()
    case .leadershipTransfer: leadershipTransfer = try reader.readBool()
    default: return try header.decode(field, from: &reader)
    }
    return true
  }

  package func encode<Sink: ByteSink>(into writer: inout WireWriter<Sink>) throws(WireError) {
    writer.beginMessage(ownFields: 5)
    writer.address(of: header)
    writer.field(.candidate, bytes: candidate)
    writer.id(of: header)
    writer.field(.lastLogIndex, unsigned: lastLogIndex)
    writer.field(.lastLogTerm, unsigned: lastLogTerm)
    writer.field(.leadershipTransfer, boolean: leadershipTransfer)
    writer.protocolVersion(of: header)
    writer.field(.term, unsigned: term)
  }
}
