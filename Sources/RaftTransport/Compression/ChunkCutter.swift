internal import DequeModule
package import NIOCore

/// The plain bytes of one chunk: 1...262,144, in one or a few pieces.
package struct RawChunk: Equatable, Sendable {
  package let pieces: [ByteBuffer]
  package let count: Int

  package init(_ pieces: [ByteBuffer]) {
    self.pieces = pieces.filter { $0.readableBytes > 0 }
    self.count = self.pieces.reduce(0) { $0 + $1.readableBytes }
    precondition((1...ChunkFormat.maximumRawLength).contains(count))
  }
}

/// Cuts plain bytes, as they come from a source, into chunks that are full but for the last.
///
/// Large pieces are sliced and never copied; small ones are put together, so that a source of single bytes
/// costs no more memory than its bytes.
package struct ChunkCutter: Sendable {
  /// Pieces below this are copied together.
  private static let smallPiece = 16 * 1024

  private let chunkLength: Int
  private var waiting: Deque<ByteBuffer> = []
  /// Whether the last of `waiting` was made here, and may be written to.
  private var ownsTail = false
  private var isFinished = false
  package private(set) var waitingBytes = 0

  package init(chunkLength: Int = ChunkFormat.maximumRawLength) {
    precondition((1...ChunkFormat.maximumRawLength).contains(chunkLength))
    self.chunkLength = chunkLength
  }

  package mutating func append(_ piece: ByteBuffer) {
    precondition(!isFinished)
    guard piece.readableBytes > 0 else { return }
    waitingBytes += piece.readableBytes
    guard piece.readableBytes < Self.smallPiece else {
      waiting.append(piece)
      ownsTail = false
      return
    }
    if !ownsTail {
      waiting.append(ByteBufferAllocator().buffer(capacity: Self.smallPiece))
      ownsTail = true
    }
    waiting[waiting.count - 1].writeImmutableBuffer(piece)
    if waiting[waiting.count - 1].readableBytes >= Self.smallPiece {
      ownsTail = false
    }
  }

  /// No more pieces: what is left becomes the last chunk.
  package mutating func finish() {
    isFinished = true
  }

  /// The next full chunk, or the last one after ``finish()``; nil when there is none.
  ///
  /// - Parameter length: how long a full chunk is this time, if shorter than usual.
  package mutating func next(length: Int = .max) -> RawChunk? {
    let chunkLength = min(length, chunkLength)
    precondition(chunkLength > 0)
    guard waitingBytes >= chunkLength || (isFinished && waitingBytes > 0) else { return nil }
    var missing = min(chunkLength, waitingBytes)
    waitingBytes -= missing
    var pieces: [ByteBuffer] = []
    while missing > 0, var piece = waiting.popFirst() {
      let part = min(missing, piece.readableBytes)
      if let slice = piece.readSlice(length: part) { pieces.append(slice) }
      missing -= part
      if piece.readableBytes > 0 {
        waiting.prepend(piece)
      } else if waiting.isEmpty {
        ownsTail = false
      }
    }
    return RawChunk(pieces)
  }
}
