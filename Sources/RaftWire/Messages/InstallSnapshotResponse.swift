/// A follower's answer to ``InstallSnapshotRequest``.
public struct InstallSnapshotResponse: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The follower's term.
  public var term: UInt64
  /// Whether the snapshot was installed.
  public var success: Bool

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    term: UInt64 = 0,
    success: Bool = false
  ) {
    self.header = header
    self.term = term
    self.success = success
  }
}

extension InstallSnapshotResponse: WireResponse {
  package static var blank: InstallSnapshotResponse { InstallSnapshotResponse() }
  package static let declaredFields: [WireField] =
    WireField.header + [.term, .success]

  package mutating func decode(
    _ field: WireField, from reader: inout WireReader
  ) throws(WireError) -> Bool {
    switch field {
    case .term: term = try reader.readUInt64()
    case .success: success = try reader.readBool()
    default: return try header.decode(field, from: &reader)
    }
    return true
  }

  package func encode<Sink: ByteSink>(into writer: inout WireWriter<Sink>) throws(WireError) {
    writer.beginMessage(ownFields: 2)
    writer.address(of: header)
    writer.id(of: header)
    writer.protocolVersion(of: header)
    writer.field(.success, boolean: success)
    writer.field(.term, unsigned: term)
  }
}
