/// What one message may cost its reader, whatever its bytes declare.
///
/// A reader holds at most the bytes that arrived, of which there are never more than ``maximumMessageBytes``
/// per message, plus 8 bytes per open level of nesting, plus the decoded entries: about 120 bytes for each of at
/// most ``maximumElements``. Nothing is reserved for what was declared but has not arrived
/// (R-PAY-38 to R-PAY-41).
public struct MessageLimits: Sendable, Hashable {
  /// The largest message in bytes, with its type byte or error text; at least 1. 64 MiB by default.
  public var maximumMessageBytes: Int
  /// The most elements that one array or map may have, a map's keys and values counted apart; at least 1.
  /// 262,144 by default.
  public var maximumElements: Int
  /// The deepest nesting of arrays and maps, the message itself being the first level; at least 4, which
  /// no field goes beyond. 1,023 by default, which is what current releases of hashicorp/raft take.
  public var maximumDepth: Int

  /// Limits; values below the least are raised to it.
  public init(
    maximumMessageBytes: Int = 64 * 1024 * 1024,
    maximumElements: Int = 262_144,
    maximumDepth: Int = 1_023
  ) {
    self.maximumMessageBytes = max(1, maximumMessageBytes)
    self.maximumElements = max(1, maximumElements)
    self.maximumDepth = max(4, maximumDepth)
  }

  /// The limits that apply unless configured otherwise.
  public static let defaults = MessageLimits()
}
