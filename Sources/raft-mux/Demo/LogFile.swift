import Foundation
import NIOCore

/// Reads a file line by line, each line with its end, so that the lines put together are the file again.
struct LogFile: ~Copyable {
  /// Longer lines (a file need not be text) come in several parts.
  static let longestLine = 64 << 10

  private let file: FileHandle
  private var buffered = ByteBuffer()
  private var isAtEnd = false

  init(path: String) throws {
    self.file = try FileHandle(forReadingFrom: URL(filePath: path))
  }

  deinit {
    try? self.file.close()
  }

  /// The next lines, as many as asked for; fewer at the end, none after it.
  mutating func nextLines(_ count: Int) throws -> [ByteBuffer] {
    var lines: [ByteBuffer] = []
    while lines.count < count, let line = try self.nextLine() { lines.append(line) }
    return lines
  }

  private mutating func nextLine() throws -> ByteBuffer? {
    while true {
      let searched = self.buffered.readableBytesView.prefix(Self.longestLine)
      if let end = searched.firstIndex(of: UInt8(ascii: "\n")) {
        return self.buffered.readSlice(length: end - searched.startIndex + 1)
      }
      if searched.count == Self.longestLine || self.isAtEnd {
        return searched.isEmpty ? nil : self.buffered.readSlice(length: searched.count)
      }
      try self.fill()
    }
  }

  private mutating func fill() throws {
    guard let piece = try self.file.read(upToCount: 256 << 10), !piece.isEmpty else {
      self.isAtEnd = true
      return
    }
    // A buffer of its own for each piece: lines handed out keep only the pieces alive that they lie in.
    var next = ByteBuffer()
    next.reserveCapacity(self.buffered.readableBytes + piece.count)
    next.writeImmutableBuffer(self.buffered)
    next.writeBytes(piece)
    self.buffered = next
  }
}
