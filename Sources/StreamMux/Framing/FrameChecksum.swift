internal import CZlib
package import NIOCore

/// The CRC-32 of one frame, header and payload, taken piece by piece.
package struct FrameChecksum: Equatable, Sendable {
  /// The checksum of everything taken so far.
  package private(set) var value: UInt32 = 0

  package init() {}

  /// Takes all readable bytes.
  package mutating func update(_ bytes: ByteBuffer) {
    update(bytes, at: bytes.readerIndex, length: bytes.readableBytes)
  }

  /// Takes `length` bytes of `bytes` from `index` on, which must be readable.
  mutating func update(_ bytes: ByteBuffer, at index: Int, length: Int) {
    let previous = value
    value = unsafe bytes.withUnsafeReadableBytes { all in
      let offset = index - bytes.readerIndex
      // An empty buffer may have no address, and zlib takes that for the wish to start anew.
      guard length > 0, let base = all.baseAddress else { return previous }
      precondition(offset >= 0 && offset + length <= all.count, "only readable bytes have a checksum")
      let start = unsafe base.advanced(by: offset).assumingMemoryBound(to: UInt8.self)
      return unsafe UInt32(truncatingIfNeeded: crc32_z(UInt(previous), start, length))
    }
  }
}
