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
