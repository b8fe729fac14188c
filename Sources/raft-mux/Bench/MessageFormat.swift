import NIOCore

/// What the bare NIO pipeline says: a length of four bytes and the payload one way, the checksum's eight bytes back.
enum MessageFormat {
  static let lengthSize = 4
  static let answerSize = 8
  /// Far more than any workload sends; a longer message is not ours.
  static let longestMessage: UInt32 = 1 << 24
  /// In the place of a length: one of eight bytes follows, and the message is read without being kept.
  static let bulkMark = UInt32.max

  /// A message with its length, ready to be written over and over.
  static func message(of batch: Workload.Batch) -> ByteBuffer {
    var message = ByteBuffer()
    message.writeInteger(UInt32(batch.byteCount))
    for number in 0..<batch.byteCount { message.writeInteger(UInt8(truncatingIfNeeded: number &* 31)) }
    return message
  }

  static func sum(of message: ByteBuffer) -> UInt64 {
    var sum = WordSum()
    sum.update(
      message.getSlice(at: lengthSize, length: message.readableBytes - lengthSize) ?? ByteBuffer())
    return sum.value
  }
}
