internal import NIOCore

extension ByteBuffer {
  /// All readable bytes as a string, or nil if they are no UTF-8.
  mutating func readValidUnicode() -> String? {
    guard let string = String(validating: readableBytesView, as: UTF8.self) else { return nil }
    moveReaderIndex(to: writerIndex)
    return string
  }

  /// The text of a WELCOME or GOAWAY: a length (u16) and as many bytes, to the end of the buffer.
  ///
  /// Bytes that are no UTF-8 are replaced and control characters escaped: the text is for people, and a broken one
  /// shall not hide the code beside it (R-FRM-28).
  ///
  /// - Returns: nil if the length is over the limit or is not that of what follows.
  mutating func readText() -> String? {
    guard let length = readInteger(as: UInt16.self), Int(length) <= ProtocolConstants.textLimit,
      Int(length) == readableBytes
    else { return nil }
    return readString(length: Int(length))?.printable
  }

  /// Appends a length (u16) and as much of `text` as fits into it, cut between two characters.
  mutating func writeText(_ text: String) {
    let fitting = text.prefix(fittingUTF8: ProtocolConstants.textLimit)
    writeInteger(UInt16(fitting.utf8.count))
    writeSubstring(fitting)
  }
}

extension String {
  /// The longest prefix of whole scalars that takes at most `limit` bytes of UTF-8.
  func prefix(fittingUTF8 limit: Int) -> Substring {
    guard utf8.count > limit else { return self[...] }
    var length = 0
    var end = startIndex
    for scalar in unicodeScalars {
      length += UTF8.width(scalar)
      guard length <= limit else { break }
      end = unicodeScalars.index(after: end)
    }
    return self[..<end]
  }
}
