public import NIOCore

/// Where the bytes of an outgoing snapshot come from.
///
/// A source is read once, piece by piece, only as fast as the network takes the bytes. It must give exactly as many
/// bytes as the request's `size` says: a shorter or longer one fails the call with `snapshotSource`.
public struct SnapshotSource: AsyncSequence, Sendable {
  /// Gives the next piece; `nil` at the end.
  typealias Pull = () async throws -> ByteBuffer?

  private enum Origin: Sendable {
    /// Bytes at hand, of which slices can be taken without a copy.
    case memory([ByteBuffer])
    case pulled(@Sendable () -> Pull)
  }

  /// The size of the pieces that are made here of bytes in memory: one chunk of the chunked encoding.
  private static let pieceSize = 262_144

  /// NIO copies what a slice is taken of beyond this place in a buffer's memory, in bytes.
  private static let sliceableCapacity = 1 << 24

  private let origin: Origin

  /// Bytes that are in memory.
  ///
  /// A buffer that holds more than 16 MiB is copied piece by piece on its way, since NIO cannot slice it; several
  /// smaller ones are not: see ``init(_:)-([ByteBuffer])``.
  public init(_ bytes: ByteBuffer) {
    if bytes.storageCapacity <= Self.sliceableCapacity {
      origin = .memory([bytes])
    } else {
      origin = .pulled {
        var copies = CopiedPieces(bytes, pieceSize: Self.pieceSize)
        return { copies.next() }
      }
    }
  }

  /// Bytes that are in memory, in several buffers, in order; empty ones are skipped.
  ///
  /// Of buffers of at most 16 MiB nothing is copied.
  public init(_ buffers: [ByteBuffer]) {
    if buffers.allSatisfy({ $0.storageCapacity <= Self.sliceableCapacity }) {
      origin = .memory(buffers)
    } else {
      origin = .pulled {
        var sources = buffers.makeIterator()
        var current: CopiedPieces?
        return {
          while true {
            if let piece = current?.next() { return piece }
            guard let next = sources.next() else { return nil }
            current = CopiedPieces(next, pieceSize: Self.pieceSize)
          }
        }
      }
    }
  }

  /// The pieces of a sequence, in order; empty pieces are skipped.
  public init<Pieces: AsyncSequence & Sendable>(_ pieces: Pieces) where Pieces.Element == ByteBuffer {
    origin = .pulled {
      var iterator = pieces.makeAsyncIterator()
      return { try await iterator.next(isolation: nil) }
    }
  }

  /// A file, read ahead in large pieces off the event loop.
  ///
  /// - Parameter path: The file's path; it is opened when the snapshot is sent.
  public init(contentsOfFile path: String) {
    origin = .pulled {
      let reader = FileReader(path: path)
      return { try await reader.next() }
    }
  }

  /// The bytes, if all of them are at hand and can be sliced.
  var memory: [ByteBuffer]? {
    if case .memory(let buffers) = origin { buffers } else { nil }
  }

  /// Begins to read the source.
  public func makeAsyncIterator() -> Iterator {
    switch origin {
    case .pulled(let open):
      return Iterator(pull: open())
    case .memory(let buffers):
      var remaining = buffers[...]
      return Iterator(pull: {
        while remaining.first?.readableBytes == 0 { remaining.removeFirst() }
        guard let first = remaining.indices.first else { return nil }
        return remaining[first].readSlice(length: Swift.min(remaining[first].readableBytes, Self.pieceSize))
      })
    }
  }

  /// Reads the source piece by piece.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let pull: Pull

    /// Waits for the next piece; `nil` at the end.
    public mutating func next() async throws -> ByteBuffer? {
      try await pull()
    }

    /// Waits for the next piece; `nil` at the end.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
      try await pull()
    }
  }
}

/// The bytes of a buffer that is too large to be sliced, in copies whose memory is used again.
private struct CopiedPieces {
  private var remaining: ByteBuffer
  private let pieceSize: Int
  private var memory: RecycledBuffers

  init(_ bytes: ByteBuffer, pieceSize: Int) {
    self.remaining = bytes
    self.pieceSize = pieceSize
    self.memory = RecycledBuffers(capacity: pieceSize, limit: 16)
  }

  mutating func next() -> ByteBuffer? {
    let count = min(remaining.readableBytes, pieceSize)
    guard count > 0 else { return nil }
    var piece = memory.take()
    // The pointers are used within the closure only, and `count` bytes are there.
    unsafe remaining.readWithUnsafeReadableBytes { bytes in
      unsafe piece.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }
    memory.keep(piece)
    return piece
  }
}
