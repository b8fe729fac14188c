/// The flags of a DATA frame, the only type that has any.
package struct DataFlags: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// The frame opens its stream: a group id precedes the stream bytes.
  package static let open = DataFlags(rawValue: 0x01)
  /// The sender's half ends with this frame.
  package static let finish = DataFlags(rawValue: 0x02)
  /// At least one more byte of this stream was queued when the frame was cut.
  package static let more = DataFlags(rawValue: 0x04)

  package static let known: DataFlags = [.open, .finish, .more]
}
