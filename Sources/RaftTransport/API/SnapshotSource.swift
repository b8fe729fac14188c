public import NIOCore
internal import NIOPosix

/// Where the bytes of an outgoing snapshot come from.
///
/// A source is read once, piece by piece, only as fast as the network takes the bytes. It must give exactly as many
/// bytes as the request's `size` says: a shorter or longer one fails the call with `snapshotSource`.
public struct SnapshotSource: Sendable {
  /// Gives the next piece; `nil` at the end.
  package typealias Pull = () async throws -> ByteBuffer?

  private let open: @Sendable () async throws -> sending Reading

  /// A source that has been opened; belongs to the task that reads it.
  package struct Reading {
    package let pull: Pull
    package let close: () async -> Void
  }

  /// Bytes that are in memory.
  public init(_ bytes: ByteBuffer) {
    self.open = {
      var remaining = bytes
      return Reading(
        pull: {
          // Pieces of this size keep the memory of a plain copy away and one piece in the cache.
          remaining.readSlice(length: Swift.min(remaining.readableBytes, 262_144)).flatMap { piece in
            piece.readableBytes == 0 ? nil : piece
          }
        },
        close: {}
      )
    }
  }

  /// The pieces of a sequence, in order; empty pieces are skipped.
  public init<Pieces: AsyncSequence & Sendable>(_ pieces: Pieces) where Pieces.Element == ByteBuffer {
    self.open = {
      var iterator = pieces.makeAsyncIterator()
      return Reading(pull: { try await iterator.next(isolation: nil) }, close: {})
    }
  }

  /// A file, read in pieces off the event loop.
  ///
  /// - Parameter path: The file's path; it is opened when the snapshot is sent.
  public init(contentsOfFile path: String) {
    self.open = {
      let threads = NIOThreadPool.singleton
      let fileIO = NonBlockingFileIO(threadPool: threads)
      let handle = try await threads.runIfActive { try NIOFileHandle(_deprecatedPath: path, mode: .read) }
      return Reading(
        pull: {
          let piece = try await fileIO.read(
            fileHandle: handle, byteCount: 262_144, allocator: ByteBufferAllocator())
          return piece.readableBytes == 0 ? nil : piece
        },
        close: { _ = try? await threads.runIfActive { try handle.close() } }
      )
    }
  }

  /// Opens the source, for one reading.
  package func reading() async throws -> sending Reading {
    try await self.open()
  }
}
