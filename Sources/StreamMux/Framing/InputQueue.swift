internal import DequeModule
internal import NIOCore

/// Received bytes that were not looked at yet, in the pieces in which they came.
struct InputQueue: Sendable {
  private var current = ByteBuffer()
  private var waiting: Deque<ByteBuffer> = []
  /// The start of something that is split between pieces.
  private var partial = ByteBuffer()

  var isEmpty: Bool { current.readableBytes == 0 && partial.readableBytes == 0 && waiting.isEmpty }

  mutating func append(_ bytes: ByteBuffer) {
    guard bytes.readableBytes > 0 else { return }
    if current.readableBytes == 0 {
      current = bytes
    } else {
      waiting.append(bytes)
    }
  }

  /// Exactly `count` bytes in one piece: a slice where they came so, else copied together.
  ///
  /// - Returns: nil if there are fewer. Then they are kept, and the next call must ask for as many.
  mutating func take(_ count: Int) -> ByteBuffer? {
    if partial.readableBytes == 0 {
      if let slice = current.readSlice(length: count) {
        moveOn()
        return slice
      }
      partial.clear()
    }
    while partial.readableBytes < count {
      guard let piece = takeSome(upTo: count - partial.readableBytes) else { return nil }
      partial.writeImmutableBuffer(piece)
    }
    defer { partial = ByteBuffer() }
    return partial
  }

  /// As many bytes as there are in one piece, at least one, at most `limit`; never copied.
  mutating func takeSome(upTo limit: Int) -> ByteBuffer? {
    guard let slice = current.readSlice(length: min(limit, current.readableBytes)), slice.readableBytes > 0
    else { return nil }
    moveOn()
    return slice
  }

  /// Lets go of a piece that was read to its end, so that it is not kept alive while nothing comes.
  private mutating func moveOn() {
    guard current.readableBytes == 0 else { return }
    current = waiting.popFirst() ?? ByteBuffer()
  }
}
