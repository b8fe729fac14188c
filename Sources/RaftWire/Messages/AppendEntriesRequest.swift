public import NIOCore

/// Asks a follower to append log entries; without entries it is a heartbeat or a commit notice.
public struct AppendEntriesRequest: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The leader's term.
  public var term: UInt64
  /// The leader's address, as peers of protocol versions below 3 name it.
  public var leader: ByteBuffer?
  /// The index of the entry just before ``entries`` (`PrevLogEntry` on the wire).
  public var previousLogIndex: UInt64
  /// The term of the entry just before ``entries``.
  public var previousLogTerm: UInt64
  /// The entries to append, in order. `nil` and an empty array differ on the wire, and an element may be `nil`.
  public var entries: [LogEntry?]?
  /// The highest index that the leader knows to be committed.
  public var leaderCommitIndex: UInt64

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    leader: ByteBuffer? = nil,
    previousLogIndex: UInt64 = 0,
    previousLogTerm: UInt64 = 0,
    entries: [LogEntry?]? = nil,
    leaderCommitIndex: UInt64 = 0
  ) {
    self.header = header
    self.term = term
    self.leader = leader
    self.previousLogIndex = previousLogIndex
    self.previousLogTerm = previousLogTerm
    self.entries = entries
    self.leaderCommitIndex = leaderCommitIndex
  }
}

extension AppendEntriesRequest: WireRequest {
  package static var rpcType: RPCType { .appendEntries }
  package static var blank: AppendEntriesRequest { AppendEntriesRequest() }
  package static let declaredFields: [WireField] =
    WireField.header + [.term, .leader, .previousLogIndex, .previousLogTerm, .entries, .leaderCommitIndex]

  package mutating func decode(
    _ field: WireField, from reader: inout WireReader
  ) throws(WireError) -> Bool {
    switch field {
    case .term: term = try reader.readUInt64()
    case .leader: leader = try reader.readBytes()
    case .previousLogIndex: previousLogIndex = try reader.readUInt64()
    case .previousLogTerm: previousLogTerm = try reader.readUInt64()
    case .entries: try reader.readEntries(into: &entries)
    case .leaderCommitIndex: leaderCommitIndex = try reader.readUInt64()
    default: return try header.decode(field, from: &reader)
    }
    return true
  }

  package func encode<Sink: ByteSink>(into writer: inout WireWriter<Sink>) throws(WireError) {
    writer.beginMessage(ownFields: 6)
    writer.address(of: header)
    try writer.entries(entries)
    writer.id(of: header)
    writer.field(.leader, bytes: leader)
    writer.field(.leaderCommitIndex, unsigned: leaderCommitIndex)
    writer.field(.previousLogIndex, unsigned: previousLogIndex)
    writer.field(.previousLogTerm, unsigned: previousLogTerm)
    writer.protocolVersion(of: header)
    writer.field(.term, unsigned: term)
  }
}
