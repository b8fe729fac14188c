internal import DequeModule
internal import NIOCore

/// Pieces of one frame that wait for its checksum.
///
/// They are slices of what was received. But a slice keeps the whole buffer alive that it is part of, and a
/// peer may send single bytes: of a frame in very many pieces the small ones are copied together, so that one
/// frame never holds more than about two hundred buffers.
struct HeldBytes: Sendable {
  /// Up to here all pieces are kept as they came.
  private static let freePieces = 32
  /// Beyond, smaller ones than this are copied, bytes.
  private static let smallPiece = 1_024

  private var pieces: Deque<ByteBuffer> = []
  /// Whether the last piece is a buffer of our own, to which more can be copied.
  private var endsInCopy = false

  init() {}

  var isEmpty: Bool { pieces.isEmpty }

  /// How many buffers are kept alive.
  var count: Int { pieces.count }

  mutating func append(_ piece: ByteBuffer) {
    guard pieces.count >= Self.freePieces, piece.readableBytes < Self.smallPiece else {
      pieces.append(piece)
      endsInCopy = false
      return
    }
    if endsInCopy {
      pieces[pieces.count - 1].writeImmutableBuffer(piece)
    } else {
      var copy = ByteBuffer()
      copy.writeImmutableBuffer(piece)
      pieces.append(copy)
      endsInCopy = true
    }
  }

  mutating func popFirst() -> ByteBuffer? { pieces.popFirst() }
}
