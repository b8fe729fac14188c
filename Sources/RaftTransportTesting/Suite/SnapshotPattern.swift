internal import NIOCore
internal import Synchronization

/// Bytes by which one sees where they belong, so that a lost, doubled or moved piece shows.
enum SnapshotPattern {
  /// A period of a prime number of bytes never falls in step with buffers and frames.
  private static let period: [UInt8] = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ $0 >> 8) }

  /// The given number of bytes from the given offset on.
  static func bytes(_ count: Int, from offset: Int = 0) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(count)
    var position = offset % self.period.count
    while buffer.readableBytes < count {
      let end = min(self.period.count, position + count - buffer.readableBytes)
      buffer.writeBytes(self.period[position..<end])
      position = 0
    }
    return buffer
  }
}

/// Pieces of a snapshot of the given sizes, and then an error where one is given.
struct PatternPieces: AsyncSequence, Sendable {
  let sizes: [Int]
  var error: (any Error)?

  func makeAsyncIterator() -> Iterator { Iterator(sizes: self.sizes[...], error: self.error) }

  struct Iterator: AsyncIteratorProtocol {
    var sizes: ArraySlice<Int>
    let error: (any Error)?
    var offset = 0

    mutating func next() async throws -> ByteBuffer? {
      guard let size = self.sizes.popFirst() else {
        if let error = self.error { throw error }
        return nil
      }
      defer { self.offset += size }
      return SnapshotPattern.bytes(size, from: self.offset)
    }
  }
}

/// One piece, and then nothing until the reading task is cancelled.
struct StalledPieces: AsyncSequence, Sendable {
  let first: ByteBuffer

  func makeAsyncIterator() -> Iterator { Iterator(first: self.first) }

  struct Iterator: AsyncIteratorProtocol {
    var first: ByteBuffer?

    mutating func next() async throws -> ByteBuffer? {
      if let first = self.first {
        self.first = nil
        return first
      }
      // An empty stream that nobody finishes: only the task's cancellation ends the wait.
      let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
      for await _ in stream {}
      withExtendedLifetime(continuation) {}
      throw CancellationError()
    }
  }
}
