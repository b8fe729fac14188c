/// Why bytes are no Raft message, or why a value cannot become bytes.
public struct WireError: Error, Sendable, Hashable {
  /// The kinds of failure.
  public enum Code: Sendable, Hashable {
    /// The bytes end inside a message.
    case truncated
    /// The message is, or declares that it will be, larger than ``MessageLimits/maximumMessageBytes``.
    case messageTooLarge
    /// An array or map declares more elements than ``MessageLimits/maximumElements``.
    case tooManyElements
    /// Arrays and maps are nested deeper than ``MessageLimits/maximumDepth``.
    case tooDeep
    /// A value has a format that its field does not take.
    case wrongType
    /// An integer does not fit its field.
    case outOfRange
    /// A byte that starts no MessagePack value, a map key that names nothing, or a time of no known form.
    case malformed
    /// The byte in front of a request names no RPC.
    case unknownRPCType
    /// The value has no encoding; nothing was written.
    case notEncodable
  }

  /// The kind of failure.
  public var code: Code
  /// What was found, in words for a log.
  public var message: String
  /// Where in the message it was found, counted from the message's first byte; 0 when encoding.
  public var offset: Int
  /// The name of the field on the wire, where it is known.
  public var field: String?

  /// A failure.
  public init(code: Code, message: String, offset: Int = 0, field: String? = nil) {
    self.code = code
    self.message = message
    self.offset = offset
    self.field = field
  }
}

extension WireError: CustomStringConvertible {
  /// One line with everything that is known.
  public var description: String {
    let place = field.map { " in \($0)" } ?? ""
    return "\(message)\(place) at byte \(offset) (\(code))"
  }
}
