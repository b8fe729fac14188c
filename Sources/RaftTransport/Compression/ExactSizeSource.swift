package import NIOCore

/// Gives a source's bytes on, and sees to it that they are exactly as many as were announced.
///
/// The end (nil) is reported only after the source itself has ended at the right place, so whoever sends FIN
/// behind the end never finishes a snapshot that is too short or too long (R-SNAP-15, R-SNAP-16).
package struct ExactSizeSource<Source: AsyncSequence> where Source.Element == ByteBuffer {
  private var iterator: Source.AsyncIterator
  private let size: UInt64
  private var failure: SnapshotSourceError?
  private var isAtEnd = false
  package private(set) var delivered: UInt64 = 0

  package init(_ source: Source, size: UInt64) {
    self.iterator = source.makeAsyncIterator()
    self.size = size
  }

  /// The next bytes, never empty, or nil at the right end.
  ///
  /// - Throws: ``SnapshotSourceError``, and the same for every later call; `CancellationError` as the source
  ///   throws it when the task was cancelled.
  package nonisolated(nonsending) mutating func next() async throws -> ByteBuffer? {
    if let failure { throw failure }
    while !isAtEnd {
      guard let piece = try await pull() else {
        isAtEnd = true
        guard delivered == size else {
          throw fail(.sourceTooShort(size: size, delivered: delivered))
        }
        break
      }
      guard piece.readableBytes > 0 else {
        // A source of nothing but empty pieces can be cancelled, too.
        try Task.checkCancellation()
        continue
      }
      guard UInt64(piece.readableBytes) <= size - delivered else {
        throw fail(.sourceTooLong(size: size))
      }
      delivered += UInt64(piece.readableBytes)
      return piece
    }
    return nil
  }

  private nonisolated(nonsending) mutating func pull() async throws -> ByteBuffer? {
    do {
      return try await iterator.next(isolation: #isolation)
    } catch is CancellationError where Task.isCancelled {
      throw CancellationError()
    } catch {
      throw fail(.sourceFailed(underlying: error))
    }
  }

  private mutating func fail(_ error: SnapshotSourceError) -> SnapshotSourceError {
    failure = error
    return error
  }
}
