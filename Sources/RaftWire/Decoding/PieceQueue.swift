internal import DequeModule
package import NIOCore

/// Bytes that wait, in the pieces in which they came.
///
/// Large pieces are kept as they are. Small ones are copied together: a buffer takes a hundred bytes of memory
/// however few it holds, so that a peer which sends single bytes would make a window of them take a hundred windows
/// (R-LIM-13).
package struct PieceQueue: Sendable {
  /// Pieces of at least this size are kept as they are.
  private static let keptPieceSize = 1_024
  /// A piece that was put together here takes no more once it is as large as this.
  private static let fullPieceSize = 16 * 1_024

  private var pieces: Deque<ByteBuffer> = []
  /// Whether the last piece was put together here and can take more.
  private var lastIsOurs = false
  /// Bytes in all pieces.
  package private(set) var count = 0

  package init() {}

  package var isEmpty: Bool { pieces.isEmpty }

  /// How many buffers hold the bytes.
  package var pieceCount: Int { pieces.count }

  package mutating func append(_ bytes: ByteBuffer) {
    count += bytes.readableBytes
    if bytes.readableBytes >= Self.keptPieceSize {
      pieces.append(bytes)
      lastIsOurs = false
    } else if lastIsOurs, let last = pieces.indices.last, pieces[last].readableBytes < Self.fullPieceSize {
      pieces[last].writeImmutableBuffer(bytes)
    } else if let last = pieces.indices.last, !lastIsOurs, pieces[last].readableBytes < Self.keptPieceSize {
      // The second small one in a row.
      var ours = ByteBufferAllocator().buffer(capacity: Self.keptPieceSize)
      ours.writeImmutableBuffer(pieces[last])
      ours.writeImmutableBuffer(bytes)
      pieces[last] = ours
      lastIsOurs = true
    } else {
      pieces.append(bytes)
      lastIsOurs = false
    }
  }

  package mutating func popFirst() -> ByteBuffer? {
    guard let piece = pieces.popFirst() else { return nil }
    count -= piece.readableBytes
    if pieces.isEmpty { lastIsOurs = false }
    return piece
  }

  package mutating func removeAll() {
    self = PieceQueue()
  }
}
