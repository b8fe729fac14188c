import NIOCore

@testable import StreamMux

/// The bytes of a stream, known to both ends without being stored: a function of seed and position.
struct ByteSource {
  let seed: UInt64

  func byte(at position: UInt64) -> UInt8 {
    var mixed = seed &+ (position &* 0x9E37_79B9_7F4A_7C15)
    mixed = (mixed ^ (mixed >> 29)) &* 0xBF58_476D_1CE4_E5B9
    return UInt8(truncatingIfNeeded: mixed >> 40)
  }

  func bytes(from position: UInt64, count: Int) -> ByteBuffer {
    ByteBuffer(bytes: (0..<UInt64(count)).map { byte(at: position + $0) })
  }
}

/// What a test expects of one direction of one stream.
struct DirectionModel {
  let source: ByteSource
  /// Bytes that the owner wrote.
  var written: UInt64 = 0
  var isFinished = false
  /// The writer, or the reader by STOP, gave up: what arrives is only a start of what was written.
  var isBroken = false

  /// Bytes that arrived at the other owner.
  var delivered: UInt64 = 0
  var hasArrivedFinish = false
  var hasArrivedReset = false

  init(seed: UInt64) {
    source = ByteSource(seed: seed)
  }

  /// nil, or what is wrong with these bytes.
  mutating func deliver(_ bytes: ByteBuffer) -> String? {
    if hasArrivedFinish || hasArrivedReset { return "bytes behind the end" }
    for byte in bytes.readableBytesView {
      guard byte == source.byte(at: delivered) else { return "a wrong byte at \(delivered)" }
      delivered += 1
    }
    return delivered <= written ? nil : "more bytes than were written"
  }
}
