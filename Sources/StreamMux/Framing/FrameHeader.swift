package import NIOCore

/// The sixteen bytes in front of every payload, as they are on the wire: nothing in here was judged yet.
package struct FrameHeader: Hashable, Sendable {
  package static let length = ProtocolConstants.headerLength

  package var type: UInt8
  package var flags: UInt8
  package var trafficClass: UInt8
  package var encoding: UInt8
  /// Bytes of payload.
  package var payloadLength: UInt32
  package var stream: UInt64

  package init(
    type: UInt8, flags: UInt8 = 0, trafficClass: UInt8 = 0, encoding: UInt8 = 0,
    payloadLength: UInt32 = 0, stream: UInt64 = 0
  ) {
    self.type = type
    self.flags = flags
    self.trafficClass = trafficClass
    self.encoding = encoding
    self.payloadLength = payloadLength
    self.stream = stream
  }

  package init(
    _ type: FrameType, flags: DataFlags = [], trafficClass: UInt8 = 0, encoding: UInt8 = 0,
    payloadLength: Int, stream: UInt64 = 0
  ) {
    self.init(
      type: type.rawValue, flags: flags.rawValue, trafficClass: trafficClass, encoding: encoding,
      payloadLength: UInt32(payloadLength), stream: stream)
  }

  /// Takes a header off the front of `buffer`, or nothing if it holds less than one.
  package init?(readingFrom buffer: inout ByteBuffer) {
    guard buffer.readableBytes >= Self.length else { return nil }
    let (head, stream) = unsafe buffer.withUnsafeReadableBytes { bytes in
      // Both loads are inside the sixteen bytes that were just found to be there.
      unsafe (
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
    buffer.moveReaderIndex(forwardBy: Self.length)
    self.init(
      type: UInt8(truncatingIfNeeded: head >> 56),
      flags: UInt8(truncatingIfNeeded: head >> 48),
      trafficClass: UInt8(truncatingIfNeeded: head >> 40),
      encoding: UInt8(truncatingIfNeeded: head >> 32),
      payloadLength: UInt32(truncatingIfNeeded: head),
      stream: stream)
  }

  /// Appends the header.
  package func write(into buffer: inout ByteBuffer) {
    let head = self.head
    let stream = self.stream
    unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.length) { bytes in
      // The buffer made room for sixteen bytes.
      unsafe bytes.storeBytes(of: head.bigEndian, toByteOffset: 0, as: UInt64.self)
      unsafe bytes.storeBytes(of: stream.bigEndian, toByteOffset: 8, as: UInt64.self)
      return Self.length
    }
  }

  /// Appends the header and the eight bytes behind it in one go: the group of an opening frame, or the
  /// payload of a frame that has eight bytes of it.
  func write(followedBy word: UInt64, into buffer: inout ByteBuffer) {
    let head = self.head
    let stream = self.stream
    unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.length + 8) { bytes in
      // The buffer made room for twenty-four bytes.
      unsafe bytes.storeBytes(of: head.bigEndian, toByteOffset: 0, as: UInt64.self)
      unsafe bytes.storeBytes(of: stream.bigEndian, toByteOffset: 8, as: UInt64.self)
      unsafe bytes.storeBytes(of: word.bigEndian, toByteOffset: 16, as: UInt64.self)
      return Self.length + 8
    }
  }

  /// The first eight bytes as one number.
  private var head: UInt64 {
    UInt64(type) << 56 | UInt64(flags) << 48 | UInt64(trafficClass) << 40 | UInt64(encoding) << 32
      | UInt64(payloadLength)
  }
}
