/// The sender takes no new streams any more.
package struct GoAway: Equatable, Sendable {
  /// The highest stream of the receiver that was or may be processed; ``ProtocolConstants/soon`` if that
  /// is not decided yet.
  package let lastStream: UInt64
  package let code: ErrorCode
  /// At most 512 bytes are sent.
  package let text: String

  package init(lastStream: UInt64, code: ErrorCode, text: String = "") {
    self.lastStream = lastStream
    self.code = code
    self.text = text
  }

  /// Whether this only announces another one.
  package var isSoon: Bool { lastStream == ProtocolConstants.soon }
}
