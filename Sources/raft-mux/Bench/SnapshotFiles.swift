import Foundation
import NIOCore
import Synchronization

/// The bytes that snapshots are made of, in files that are made when they are asked for and removed at the end.
final class SnapshotFiles: Sendable {
  /// The length of each in bytes.
  let size: Int
  private let directory: URL
  private let made = Mutex<Set<Workload.SnapshotContent>>([])

  init(size: Int) throws {
    self.size = size
    directory = FileManager.default.temporaryDirectory.appending(
      path: "raft-mux-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  /// Where the file is, which is made first if nobody has asked for it before.
  func path(_ content: Workload.SnapshotContent) throws -> String {
    let path = directory.appending(path: content.rawValue).path
    try made.withLock { made in
      guard !made.contains(content) else { return }
      try make(content, at: path)
      made.insert(content)
    }
    return path
  }

  /// The first bytes of a file, or all of it.
  func bytes(_ content: Workload.SnapshotContent, upTo limit: Int? = nil) throws -> ByteBuffer {
    let file = try FileHandle(forReadingFrom: URL(filePath: try path(content)))
    defer { try? file.close() }
    var bytes = ByteBuffer()
    var remaining = min(limit ?? size, size)
    bytes.reserveCapacity(remaining)
    while remaining > 0, let piece = try file.read(upToCount: min(remaining, 4 << 20)), !piece.isEmpty {
      bytes.writeBytes(piece)
      remaining -= piece.count
    }
    return bytes
  }

  /// Removes the files. Doing it twice does no harm.
  func remove() {
    try? FileManager.default.removeItem(at: directory)
  }

  private func make(_ content: Workload.SnapshotContent, at path: String) throws {
    // Far more than zlib's window, so that repeating it helps nobody.
    let pattern =
      switch content {
      case .text: Data(GeneratedText.lines(20_000).utf8)
      case .random: Self.randomBytes(count: 4 << 20)
      }
    guard FileManager.default.createFile(atPath: path, contents: nil) else {
      throw BenchError("the file \(path) cannot be made")
    }
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    defer { try? file.close() }
    var remaining = size
    while remaining > 0 {
      let piece = pattern.prefix(remaining)
      try file.write(contentsOf: piece)
      remaining -= piece.count
    }
  }

  private static func randomBytes(count: Int) -> Data {
    var generator = SystemRandomNumberGenerator()
    let words = (0..<count / 8).map { _ in generator.next() }
    return unsafe words.withUnsafeBytes { unsafe Data($0) }
  }
}
