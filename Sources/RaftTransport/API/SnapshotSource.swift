public import NIOCore
import NIOPosix
import Synchronization

/// Where the bytes of an outgoing snapshot come from.
///
/// A source is read once, piece by piece, only as fast as the network takes the bytes. It must give exactly as many
/// bytes as the request's `size` says: a shorter or longer one fails the call with `snapshotSource`.
public struct SnapshotSource: AsyncSequence, Sendable {
  /// Gives the next piece; `nil` at the end.
  typealias Pull = () async throws -> ByteBuffer?

  /// The size of the pieces that are made here, in bytes: one chunk of the chunked encoding.
  private static let pieceSize = 262_144

  private let open: @Sendable () -> Pull

  /// Bytes that are in memory.
  public init(_ bytes: ByteBuffer) {
    open = {
      var remaining = bytes
      return {
        let count = Swift.min(remaining.readableBytes, Self.pieceSize)
        return count == 0 ? nil : remaining.readSlice(length: count)
      }
    }
  }

  /// The pieces of a sequence, in order; empty pieces are skipped.
  public init<Pieces: AsyncSequence & Sendable>(_ pieces: Pieces) where Pieces.Element == ByteBuffer {
    open = {
      var iterator = pieces.makeAsyncIterator()
      return { try await iterator.next(isolation: nil) }
    }
  }

  /// A file, read in pieces off the event loop.
  ///
  /// - Parameter path: The file's path; it is opened when the snapshot is sent.
  public init(contentsOfFile path: String) {
    open = {
      let reader = FileReader(path: path, pieceSize: Self.pieceSize)
      return { try await reader.next() }
    }
  }

  /// Begins to read the source.
  public func makeAsyncIterator() -> Iterator {
    Iterator(pull: open())
  }

  /// Reads the source piece by piece.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let pull: Pull

    /// Waits for the next piece; `nil` at the end.
    public mutating func next() async throws -> ByteBuffer? {
      try await pull()
    }
  }
}

/// Reads one file, in its own time: opens it at the first piece and closes it behind the last one, or when nobody
/// wants more.
private final class FileReader: Sendable {
  private enum State {
    case unopened
    case open(NIOFileHandle)
    case closed
  }

  private let path: String
  private let pieceSize: Int
  private let threads = NIOThreadPool.singleton
  private let state = Mutex(State.unopened)

  init(path: String, pieceSize: Int) {
    self.path = path
    self.pieceSize = pieceSize
  }

  deinit {
    close()
  }

  func next() async throws -> ByteBuffer? {
    guard let handle = try await handle() else { return nil }
    let piece = try await NonBlockingFileIO(threadPool: threads).read(
      fileHandle: handle, byteCount: pieceSize, allocator: ByteBufferAllocator())
    if piece.readableBytes > 0 { return piece }
    close()
    return nil
  }

  private func handle() async throws -> NIOFileHandle? {
    switch state.withLock({ $0 }) {
    case .open(let handle):
      return handle
    case .closed:
      return nil
    case .unopened:
      let path = self.path
      let handle = try await threads.runIfActive { try NIOFileHandle(_deprecatedPath: path) }
      state.withLock { $0 = .open(handle) }
      return handle
    }
  }

  private func close() {
    state.withLock { state in
      // A descriptor that was only read has nothing to report when it is closed.
      if case .open(let handle) = state { try? handle.close() }
      state = .closed
    }
  }
}
