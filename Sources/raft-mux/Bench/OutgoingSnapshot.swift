import NIOCore
import RaftTransport

/// A snapshot that is sent again and again, with the checksum that must come back.
struct OutgoingSnapshot: Sendable {
  let size: Int
  let sum: UInt64
  private let origin: Origin

  private enum Origin: Sendable {
    case memory([ByteBuffer])
    case file(String)
  }

  init(
    _ content: Workload.SnapshotContent, from origin: Workload.SnapshotOrigin, _ files: SnapshotFiles
  ) throws {
    let bytes = try files.bytes(content)
    var sum = WordSum()
    sum.update(bytes)
    self.size = bytes.readableBytes
    self.sum = sum.value
    self.origin =
      switch origin {
      case .memory: .memory(Self.pieces(of: bytes))
      case .file: .file(files.path(content))
      }
  }

  /// The bytes in buffers of 4 MiB at most: NIO cannot slice large ones without copying them.
  private static func pieces(of bytes: ByteBuffer) -> [ByteBuffer] {
    var remaining = bytes
    var pieces: [ByteBuffer] = []
    while remaining.readableBytes > 0 {
      let view = remaining.readableBytesView.prefix(4 << 20)
      remaining.moveReaderIndex(forwardBy: view.count)
      pieces.append(ByteBuffer(bytes: view))
    }
    return pieces
  }

  /// The bytes, once.
  func source() -> SnapshotSource {
    switch self.origin {
    case .memory(let bytes): SnapshotSource(bytes)
    case .file(let path): SnapshotSource(contentsOfFile: path)
    }
  }

  /// The bytes, counted as the transport takes them.
  func source(counting taken: Tally) -> SnapshotSource {
    SnapshotSource(CountedPieces(source: self.source(), taken: taken))
  }
}

/// The pieces of a source, counted.
private struct CountedPieces: AsyncSequence, Sendable {
  let source: SnapshotSource
  let taken: Tally

  func makeAsyncIterator() -> Iterator {
    Iterator(pieces: self.source.makeAsyncIterator(), taken: self.taken)
  }

  struct Iterator: AsyncIteratorProtocol {
    var pieces: SnapshotSource.Iterator
    let taken: Tally

    mutating func next() async throws -> ByteBuffer? {
      let piece = try await self.pieces.next()
      self.taken.add(piece?.readableBytes ?? 0)
      return piece
    }
  }
}
