public import NIOCore

/// One entry of the replicated log.
public struct LogEntry: Sendable, Hashable {
  /// The entry's position in the log.
  public var index: UInt64
  /// The term in which a leader created the entry.
  public var term: UInt64
  /// What the entry is for.
  public var type: LogType
  /// The payload. A decoded entry's payload is a slice of the bytes received, which it keeps alive.
  public var data: ByteBuffer?
  /// Data of middleware around the state machine, opaque here.
  public var extensions: ByteBuffer?
  /// When the leader appended the entry. Peers before 1.3 neither send nor read it.
  public var appendedAt: LogTimestamp

  /// An entry; what is left out is zero, `nil` or ``LogTimestamp/zero``.
  public init(
    index: UInt64 = 0,
    term: UInt64 = 0,
    type: LogType = .command,
    data: ByteBuffer? = nil,
    extensions: ByteBuffer? = nil,
    appendedAt: LogTimestamp = .zero
  ) {
    self.index = index
    self.term = term
    self.type = type
    self.data = data
    self.extensions = extensions
    self.appendedAt = appendedAt
  }
}

extension LogEntry: WireObject {
  package static var blank: LogEntry { LogEntry() }
  package static let declaredFields: [WireField] = [.index, .term, .type, .data, .extensions, .appendedAt]

  package mutating func decode(
    _ field: WireField, from reader: inout WireReader
  ) throws(WireError) -> Bool {
    switch field {
    case .index: index = try reader.readUInt64()
    case .term: term = try reader.readUInt64()
    case .type: type = LogType(rawValue: try reader.readUInt8())
    case .data: data = try reader.readBytes()
    case .extensions: extensions = try reader.readBytes()
    case .appendedAt: appendedAt = try reader.readTimestamp()
    default: return false
    }
    return true
  }

  package func encode<Sink: ByteSink>(into writer: inout WireWriter<Sink>) throws(WireError) {
    writer.beginMap(fields: writer.profile.hasAppendedAt ? 6 : 5)
    if writer.profile.hasAppendedAt {
      writer.key(.appendedAt)
      try writer.timestamp(appendedAt)
    }
    writer.field(.data, bytes: data)
    writer.field(.extensions, bytes: extensions)
    writer.field(.index, unsigned: index)
    writer.field(.term, unsigned: term)
    writer.field(.type, unsigned: UInt64(type.rawValue))
  }
}

extension WireWriter {
  /// Writes the entries of an append: `nil`, empty and `nil` elements stay what they are.
  mutating func entries(_ entries: [LogEntry?]?) throws(WireError) {
    key(.entries)
    guard let entries else { return null() }
    beginArray(count: entries.count)
    for entry in entries {
      if let entry {
        try entry.encode(into: &self)
      } else {
        null()
      }
    }
  }
}
