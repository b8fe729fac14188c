/// A follower's answer to ``AppendEntriesRequest``.
public struct AppendEntriesResponse: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The follower's term; a greater one makes the leader step down.
  public var term: UInt64
  /// The index of the follower's last entry, a hint for where to go on.
  public var lastLog: UInt64
  /// Whether the entries were appended.
  public var success: Bool
  /// Whether a failed append may be tried again at once.
  public var noRetryBackoff: Bool

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    lastLog: UInt64 = 0,
    success: Bool = false,
    noRetryBackoff: Bool = false
  ) {
    self.header = header
    self.term = term
    self.lastLog = lastLog
    self.success = success
    self.noRetryBackoff = noRetryBackoff
  }
}

extension AppendEntriesResponse: WireResponse {
  package static var blank: AppendEntriesResponse { AppendEntriesResponse() }
  package static let declaredFields: [WireField] =
    WireField.header + [.term, .lastLog, .success, .noRetryBackoff]

  package mutating func decode(
    _ field: WireField, from reader: inout WireReader
  ) throws(WireError) -> Bool {
    switch field {
    case .term: term = try reader.readUInt64()
    case .lastLog: lastLog = try reader.readUInt64()
    case .success: success = try reader.readBool()
    case .noRetryBackoff: noRetryBackoff = try reader.readBool()
    default: return try header.decode(field, from: &reader)
    }
    return true
  }

  package func encode<Sink: ByteSink>(into writer: inout WireWriter<Sink>) throws(WireError) {
    writer.beginMessage(ownFields: 4)
    writer.address(of: header)
    writer.id(of: header)
    writer.field(.lastLog, unsigned: lastLog)
    writer.field(.noRetryBackoff, boolean: noRetryBackoff)
    writer.protocolVersion(of: header)
    writer.field(.success, boolean: success)
    writer.field(.term, unsigned: term)
  }
}
