import Crypto
import Foundation
import NIOCore

extension SHA256 {
  /// Takes a buffer's readable bytes in.
  mutating func update(_ buffer: ByteBuffer) {
    // The pointer is used within the closure only.
    unsafe buffer.withUnsafeReadableBytes { bytes in
      unsafe self.update(bufferPointer: bytes)
    }
  }

  /// The digest of a file, read in pieces.
  static func digest(ofFile path: String) throws -> String {
    let file = try FileHandle(forReadingFrom: URL(filePath: path))
    defer { try? file.close() }
    var hasher = SHA256()
    while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
      hasher.update(data: piece)
    }
    return hasher.finalize().hexadecimal
  }
}

extension SHA256Digest {
  /// The digest as 64 hexadecimal digits.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".unicodeScalars)
    var text = String.UnicodeScalarView()
    for byte in self {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(text)
  }
}
