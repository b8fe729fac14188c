public import NIOCore

/// The bytes of an incoming snapshot: exactly as many as the request's `size` says.
///
/// It can be read once, by one task, and is received only as fast as it is read. When the sender goes away or sends
/// something else than it announced, the body throws ``TransportError`` with `snapshotCut`; what was read until then
/// is not a whole snapshot. A handler that does not want the snapshot answers and leaves the body alone.
public struct SnapshotBody: AsyncSequence, Sendable {
  private let reader: @Sendable () async throws -> ByteBuffer?

  /// Makes a body; for transports and their tests.
  ///
  /// - Parameter next: Gives the next piece, never empty; `nil` after the last one, and from then on.
  public init(next: @escaping @Sendable () async throws -> ByteBuffer?) {
    self.reader = next
  }

  /// Begins to take elements.
  public func makeAsyncIterator() -> Iterator {
    Iterator(reader: reader)
  }

  /// Takes one piece after the other.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let reader: @Sendable () async throws -> ByteBuffer?

    /// Waits for the next piece; `nil` at the end.
    public func next() async throws -> ByteBuffer? {
      try await reader()
    }

    /// Waits for the next piece; `nil` at the end.
    public func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
      try await reader()
    }
  }

  /// The whole body in one buffer.
  ///
  /// - Parameter limit: The most bytes that may come, so that a peer cannot fill the memory.
  /// - Throws: `NIOTooManyBytesError` above the limit, and what reading throws.
  public func collect(upTo limit: Int) async throws -> ByteBuffer {
    var whole = ByteBuffer()
    for try await piece in self {
      guard whole.readableBytes + piece.readableBytes <= limit else {
        throw NIOTooManyBytesError(maxBytes: limit)
      }
      whole.writeImmutableBuffer(piece)
    }
    return whole
  }
}
