internal import NIOCore

/// What a faulty link does to the bytes of one direction, beside what its profile says.
struct LinkFaults: Sendable {
  var isSwallowing = false
  /// Masks to be combined with the byte at an offset of a connection's stream.
  var corruptions: [UInt64: UInt8] = [:]

  /// The bytes as they go on, when they start at the given offset of the stream.
  func applyCorruptions(to bytes: ByteBuffer, at offset: UInt64) -> ByteBuffer {
    guard !self.corruptions.isEmpty else { return bytes }
    var bytes = bytes
    for (position, mask) in self.corruptions
    where position >= offset && position - offset < UInt64(bytes.readableBytes) {
      let index = bytes.readerIndex + Int(position - offset)
      if let byte = bytes.getInteger(at: index, as: UInt8.self) {
        bytes.setInteger(byte ^ mask, at: index)
      }
    }
    return bytes
  }
}
