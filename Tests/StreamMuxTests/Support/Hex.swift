import NIOCore

/// Bytes from hexadecimal digits; spaces and line ends between them are for the reader.
func bytes(_ hex: String) -> [UInt8] {
  let digits = hex.compactMap { $0.isWhitespace ? nil : $0.hexDigitValue }
  precondition(digits.count.isMultiple(of: 2), "half a byte in \(hex)")
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func buffer(_ hex: String) -> ByteBuffer { ByteBuffer(bytes: bytes(hex)) }

/// Hexadecimal digits without spaces.
func hex(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func hex(_ buffer: ByteBuffer) -> String { hex(buffer.readableBytesView) }
