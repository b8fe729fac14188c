/// Numbers of the wire format. They are the same for every connection and no configuration changes them.
package enum ProtocolConstants {
  /// The first bytes of each direction. No RPC type, no TLS record, no ASCII; the line ends in it show a
  /// path that translates text.
  package static let preface: [UInt8] = [0xAC, 0x52, 0x4D, 0x58, 0x0D, 0x0A, 0x1A, 0x0A]
  /// The version that this implementation speaks.
  package static let version: UInt16 = 1
  /// Bytes of a frame header.
  package static let headerLength = 16
  /// Bytes of the CRC-32 behind a frame.
  package static let checksumLength = 4
  /// Bytes of the group id at the start of a frame that opens a stream.
  package static let groupLength = 8
  /// The largest payload that any receiver may announce, bytes.
  package static let largestFramePayload = 65_536
  /// The least that a receiver may announce, bytes.
  package static let leastFramePayload = 4_096
  /// The range of an initial window, bytes.
  package static let initialWindowRange: ClosedRange<Int> = 16 * 1_024...64 * 1_024 * 1_024
  /// Everything up to and including WELCOME, per direction, bytes.
  package static let handshakeLimit = 4_096
  /// The longest HELLO payload that a sender may produce: leaves room for AUTH and WELCOME, bytes.
  package static let helloLimit = 3_072
  /// The longest proof in AUTH, bytes.
  package static let proofLimit = 256
  /// The longest text in WELCOME and GOAWAY, bytes of UTF-8.
  package static let textLimit = 512
  /// The longest string in HELLO, bytes of UTF-8.
  package static let identifierLimit = 255
  /// The longest payload of a frame that is ignored, bytes.
  package static let ignorableLimit = 4_096
  /// The last id of a GOAWAY that only announces another one.
  package static let soon = UInt64.max
}
