import Foundation
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
    size = bytes.readableBytes
    self.sum = sum.value
    self.origin =
      switch origin {
      case .memory: .memory(Self.pieces(of: bytes))
      case .file: .file(try files.path(content))
      }
  }

  /// Its first bytes, from memory.
  func cut(to limit: Int) throws -> OutgoingSnapshot {
    guard limit < size else { return self }
    switch origin {
    case .memory(let pieces):
      var bytes = ByteBuffer()
      for piece in pieces where bytes.readableBytes < limit { bytes.writeImmutableBuffer(piece) }
      return OutgoingSnapshot(bytes.getSlice(at: bytes.readerIndex, length: limit) ?? bytes)
    case .file(let path):
      let file = try FileHandle(forReadingFrom: URL(filePath: path))
      defer { try? file.close() }
      return OutgoingSnapshot(ByteBuffer(bytes: try file.read(upToCount: limit) ?? Data()))
    }
  }

  private init(_ bytes: ByteBuffer) {
    var sum = WordSum()
    sum.update(bytes)
    size = bytes.readableBytes
    self.sum = sum.value
    origin = .memory(Self.pieces(of: bytes))
  }

  /// The bytes in buffers of 4 MiB at most: NIO copies what is sliced of larger ones.
  static func pieces(of bytes: ByteBuffer) -> [ByteBuffer] {
    stride(from: 0, to: bytes.readableBytes, by: 4 << 20).map { offset in
      let view = bytes.readableBytesView.dropFirst(offset).prefix(4 << 20)
      return ByteBuffer(bytes: view)
    }
  }

  /// The bytes, once.
  func source() -> SnapshotSource {
    switch origin {
    case .memory(let bytes): SnapshotSource(bytes)
    case .file(let path): SnapshotSource(contentsOfFile: path)
    }
  }
}
