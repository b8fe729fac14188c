public import NIOCore

/// Announces a snapshot; ``size`` raw bytes follow it on the stream.
public struct InstallSnapshotRequest: Sendable, Hashable {
  /// About the sender.
  public var header: RPCHeader
  /// The version of the snapshot's format.
  public var snapshotVersion: Int64
  /// The leader's term.
  public var term: UInt64
  /// The leader's address, as peers of protocol versions below 3 name it.
  public var leader: ByteBuffer?
  /// The index of the last entry that the snapshot covers.
  public var lastLogIndex: UInt64
  /// The term of the last entry that the snapshot covers.
  public var lastLogTerm: UInt64
  /// The peer set at that index in its old encoding, opaque.
  public var peers: ByteBuffer?
  /// The cluster configuration at that index, opaque.
  public var configuration: ByteBuffer?
  /// The index of the entry that holds ``configuration``.
  public var configurationIndex: UInt64
  /// The snapshot's length in bytes. A peer may send any 64-bit value; zero and below mean no body.
  public var size: Int64

  /// A value whose omitted fields are zero, `false` or `nil`.
  public init(
    header: RPCHeader = RPCHeader(),
    snapshotVersion: Int64 = 0,
    term: UInt64 = 0,
    leader: ByteBuffer? = nil,
    lastLogIndex: UInt64 = 0,
    lastLogTerm: UInt64 = 0,
    peers: ByteBuffer? = nil,
    configuration: ByteBuffer? = nil,
    configurationIndex: UInt64 = 0,
    size: Int64 = 0
  ) {
    self.header = header
    self.snapshotVersion = snapshotVersion
    self.term = term
    self.leader = leader
    self.lastLogIndex = lastLogIndex
    self.lastLogTerm = lastLogTerm
    self.peers = peers
    self.configuration = configuration
    self.configurationIndex = configurationIndex
    self.size = size
  }
}

extension InstallSnapshotRequest: WireRequest {
  package static var rpcType: RPCType { .installSnapshot }
  package static var blank: InstallSnapshotRequest { InstallSnapshotRequest() }
  package static let declaredFields: [WireField] =
    WireField.header + [
      .snapshotVersion, .term, .leader, .lastLogIndex, .lastLogTerm, .peers, .configuration,
      .configurationIndex, .size,
    ]

  package mutating func decode(
    _ field: WireField, from reader: inout WireReader
  ) throws(WireError) -> Bool {
    switch field {
    case .snapshotVersion: snapshotVersion = try reader.readInt64()
    case .term: term = try reader.readUInt64()
    case .leader: leader = try reader.readBytes()
    case .lastLogIndex: lastLogIndex = try reader.readUInt64()
    case .lastLogTerm: lastLogTerm = try reader.readUInt64()
    case .peers: peers = try reader.readBytes()
    case .configuration: configuration = try reader.readBytes()
    case .configurationIndex: configurationIndex = try reader.readUInt64()
    case .size: size = try reader.readInt64()
    default: return try header.decode(field, from: &reader)
    }
    return true
  }

  package func encode<Sink: ByteSink>(into writer: inout WireWriter<Sink>) throws(WireError) {
    writer.beginMessage(ownFields: 9)
    writer.address(of: header)
    writer.field(.configuration, bytes: configuration)
    writer.field(.configurationIndex, unsigned: configurationIndex)
    writer.id(of: header)
    writer.field(.lastLogIndex, unsigned: lastLogIndex)
    writer.field(.lastLogTerm, unsigned: lastLogTerm)
    writer.field(.leader, bytes: leader)
    writer.field(.peers, bytes: peers)
    writer.protocolVersion(of: header)
    writer.field(.size, signed: size)
    writer.field(.snapshotVersion, signed: snapshotVersion)
    writer.field(.term, unsigned: term)
  }
}
