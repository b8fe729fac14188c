package import DequeModule
package import NIOCore

/// What the owner wrote to one stream and no frame carries yet.
///
/// Bytes stay in the buffers in which they came; a frame takes slices of them.
package struct SendQueue: Sendable {
  private var buffers: Deque<ByteBuffer> = []
  package private(set) var byteCount = 0
  /// FIN follows the last byte.
  package private(set) var endsAfterLastByte = false

  package init() {}

  package var isEmpty: Bool { byteCount == 0 }

  package mutating func append(_ bytes: ByteBuffer) {
    precondition(!endsAfterLastByte, "written behind the end")
    guard bytes.readableBytes > 0 else { return }
    byteCount += bytes.readableBytes
    buffers.append(bytes)
  }

  package mutating func finish() {
    endsAfterLastByte = true
  }

  /// How many bytes the next frame should take of the first `limit`: all of them, unless it can end where one of the
  /// owner's writes ends without becoming much shorter. What was written together is mostly a message, and one that
  /// arrives within one frame needs not be put together.
  package func frameLength(atMost limit: Int) -> Int {
    guard limit < byteCount else { return byteCount }
    var whole = 0
    for buffer in buffers {
      guard whole + buffer.readableBytes <= limit else { break }
      whole += buffer.readableBytes
    }
    return whole >= limit - limit / 4 ? whole : limit
  }

  /// Moves the next `count` bytes to the end of `pieces` as slices.
  package mutating func take(_ count: Int, into pieces: inout Deque<ByteBuffer>) {
    precondition(count >= 0 && count <= byteCount, "more bytes taken than were written")
    byteCount -= count
    var remaining = count
    while remaining > 0 {
      let readable = buffers[0].readableBytes
      if readable <= remaining {
        pieces.append(buffers.removeFirst())
        remaining -= readable
      } else {
        guard let slice = buffers[0].readSlice(length: remaining) else {
          preconditionFailure("a slice shorter than the readable bytes is always there")
        }
        pieces.append(slice)
        remaining = 0
      }
    }
  }

  /// Throws away what was not framed.
  package mutating func drop() {
    buffers.removeAll(keepingCapacity: false)
    byteCount = 0
    endsAfterLastByte = false
  }
}
