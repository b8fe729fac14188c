import Foundation

/// Reads lines from a pipe until its end, on whichever thread runs it.
struct LineReader: Sendable {
  /// Longer lines end the reading: nobody who keeps to the rules writes them.
  static let longestLine = 1 << 20

  private let handle: FileHandle

  init(_ handle: FileHandle) {
    self.handle = handle
  }

  /// Hands over each line, without its end; closes the pipe after the last one.
  func run(_ onLine: (String) -> Void) {
    var buffered = Data()
    while buffered.count <= Self.longestLine {
      let piece = self.handle.availableData
      if piece.isEmpty { break }
      buffered.append(piece)
      while let end = buffered.firstIndex(of: UInt8(ascii: "\n")) {
        onLine(String(decoding: buffered[..<end], as: UTF8.self))
        buffered = Data(buffered[(end + 1)...])
      }
    }
    try? self.handle.close()
  }
}
