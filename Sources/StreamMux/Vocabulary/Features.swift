/// Optional parts of the protocol. A connection uses those that both HELLOs name; unknown bits are ignored.
package struct Features: OptionSet, Hashable, Sendable {
  package let rawValue: UInt64

  package init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// Every frame behind the sender's accepting WELCOME carries a CRC-32.
  package static let crc32 = Features(rawValue: 1 << 0)

  /// All that this implementation knows.
  package static let known: Features = [.crc32]
}
