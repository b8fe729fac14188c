package import NIOCore

/// Writes frames, with their checksums once these are in use.
package struct FrameEncoder: Equatable, Sendable {
  /// Whether a CRC-32 follows each frame (R-FRM-29, R-FRM-30). Turned on behind our accepting WELCOME where
  /// agreed on.
  package var isChecksummed: Bool

  package init(isChecksummed: Bool = false) {
    self.isChecksummed = isChecksummed
  }

  /// Bytes that a DATA frame takes on the wire.
  package func encodedLength(of header: DataHeader) -> Int {
    ProtocolConstants.headerLength + (header.opening == nil ? 0 : ProtocolConstants.groupLength)
      + header.byteCount + (isChecksummed ? ProtocolConstants.checksumLength : 0)
  }

  /// Appends the preface. It is no frame and has no checksum.
  package static func writePreface(into buffer: inout ByteBuffer) {
    buffer.writeBytes(ProtocolConstants.preface)
  }

  /// Appends a whole frame.
  package func write(_ frame: Frame, into buffer: inout ByteBuffer) {
    let start = buffer.writerIndex
    switch frame {
    case .hello(let payload):
      writeHeader(.hello, payloadLength: payload.readableBytes, into: &buffer)
      buffer.writeImmutableBuffer(payload)
    case .authentication(let authentication):
      precondition(authentication.proof.count <= ProtocolConstants.proofLimit, "the proof is too long")
      writeHeader(.authentication, payloadLength: 1 + authentication.proof.count, into: &buffer)
      buffer.writeInteger(authentication.method)
      buffer.writeBytes(authentication.proof)
    case .welcome(let welcome):
      write(.welcome, into: &buffer) { welcome.encode(into: &$0) }
    case .credit(let stream, let limit):
      precondition(stream != 0, "CREDIT is for a stream")
      FrameHeader(.credit, payloadLength: 8, stream: stream).write(followedBy: limit, into: &buffer)
    case .reset(let stream, let code):
      writeCode(.reset, stream: stream, code: code, into: &buffer)
    case .stop(let stream, let code):
      writeCode(.stop, stream: stream, code: code, into: &buffer)
    case .streams(let trafficClass, let limit):
      FrameHeader(.streams, trafficClass: trafficClass.rawValue, payloadLength: 8)
        .write(followedBy: limit, into: &buffer)
    case .ping(let number):
      FrameHeader(.ping, payloadLength: 8).write(followedBy: number, into: &buffer)
    case .pong(let number):
      FrameHeader(.pong, payloadLength: 8).write(followedBy: number, into: &buffer)
    case .goAway(let goAway):
      write(.goAway, into: &buffer) { goAway.encode(into: &$0) }
    }
    writeTrailer(from: start, into: &buffer)
  }

  /// Appends a whole DATA frame whose stream bytes are copied.
  ///
  /// - Parameter payload: exactly `header.byteCount` bytes.
  package func write(_ header: DataHeader, payload: ByteBuffer, into buffer: inout ByteBuffer) {
    precondition(payload.readableBytes == header.byteCount, "the header announces other bytes")
    let start = buffer.writerIndex
    writeDataHeader(header, into: &buffer)
    buffer.writeImmutableBuffer(payload)
    writeTrailer(from: start, into: &buffer)
  }

  /// Appends the front of a DATA frame whose stream bytes are sent as slices behind it.
  ///
  /// - Returns: the checksum to feed with these slices and to hand to ``finish(_:into:)`` behind the last;
  ///   nil while there are no checksums.
  package func begin(_ header: DataHeader, into buffer: inout ByteBuffer) -> FrameChecksum? {
    let start = buffer.writerIndex
    writeDataHeader(header, into: &buffer)
    guard isChecksummed else { return nil }
    var checksum = FrameChecksum()
    checksum.update(buffer, at: start, length: buffer.writerIndex - start)
    return checksum
  }

  /// Appends what ends a frame begun with ``begin(_:into:)``: its checksum, if it has one.
  package func finish(_ checksum: FrameChecksum?, into buffer: inout ByteBuffer) {
    precondition((checksum != nil) == isChecksummed, "checksums begin between two frames")
    if let checksum { buffer.writeInteger(checksum.value) }
  }

  /// Appends a frame that the peer skips.
  ///
  /// - Parameters:
  ///   - type: 0x80...0xFF.
  ///   - payload: at most 4,096 bytes.
  package func writeIgnorable(type: UInt8, payload: [UInt8], into buffer: inout ByteBuffer) {
    precondition(FrameType.meaning(of: type) == .ignorable, "frames of type \(type) are not ignored")
    precondition(payload.count <= ProtocolConstants.ignorableLimit, "too much to ignore")
    let start = buffer.writerIndex
    FrameHeader(type: type, payloadLength: UInt32(payload.count)).write(into: &buffer)
    buffer.writeBytes(payload)
    writeTrailer(from: start, into: &buffer)
  }

  /// Appends the one frame per connection that keeps peers tolerant (R-FRM-12): a type and 0...32 bytes by
  /// chance.
  package func writeIgnorable(
    using generator: inout some RandomNumberGenerator, into buffer: inout ByteBuffer
  ) {
    let type = UInt8.random(in: 0x80...0xFF, using: &generator)
    let length = Int.random(in: 0...32, using: &generator)
    let payload = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    writeIgnorable(type: type, payload: payload, into: &buffer)
  }

  private func writeDataHeader(_ header: DataHeader, into buffer: inout ByteBuffer) {
    precondition(header.stream != 0, "DATA is for a stream")
    let frameHeader = header.frameHeader
    precondition(
      frameHeader.payloadLength <= ProtocolConstants.largestFramePayload, "the frame is too large")
    if let opening = header.opening {
      frameHeader.write(followedBy: opening.group, into: &buffer)
    } else {
      frameHeader.write(into: &buffer)
    }
  }

  private func writeHeader(_ type: FrameType, payloadLength: Int, into buffer: inout ByteBuffer) {
    FrameHeader(type, payloadLength: payloadLength).write(into: &buffer)
  }

  private func writeCode(
    _ type: FrameType, stream: UInt64, code: ErrorCode, into buffer: inout ByteBuffer
  ) {
    precondition(stream != 0, "\(type.name) is for a stream")
    FrameHeader(type, payloadLength: 4, stream: stream).write(into: &buffer)
    buffer.writeInteger(code.rawValue)
  }

  /// Appends a frame whose payload length is known only when it is written.
  private func write(_ type: FrameType, into buffer: inout ByteBuffer, payload: (inout ByteBuffer) -> Void) {
    let start = buffer.writerIndex
    writeHeader(type, payloadLength: 0, into: &buffer)
    payload(&buffer)
    let length = buffer.writerIndex - start - ProtocolConstants.headerLength
    buffer.setInteger(UInt32(length), at: start + 4)
  }

  private func writeTrailer(from start: Int, into buffer: inout ByteBuffer) {
    guard isChecksummed else { return }
    var checksum = FrameChecksum()
    checksum.update(buffer, at: start, length: buffer.writerIndex - start)
    buffer.writeInteger(checksum.value)
  }
}
