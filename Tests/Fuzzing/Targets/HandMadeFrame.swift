import NIOCore
import StreamMux

/// A frame of which every byte is chosen by the input, though its length and checksum are mostly right.
struct HandMadeFrame {
  private static let types: [UInt8] = FrameType.allCases.map(\.rawValue) + [0x00, 0x3F, 0x40, 0x80, 0xFF]
  private static let streams: [UInt64] = [0, 1, 2, 3, 4, 5, 6, 7, 9, .max, .max - 1]

  var header: FrameHeader
  let payload: ByteBuffer
  let hasRightChecksum: Bool

  init(_ input: inout FuzzInput) {
    let form = input.choice()
    header = FrameHeader(
      type: form & 1 == 0 ? input.pick(Self.types) : input.choice(),
      flags: form & 2 == 0 ? 0 : input.choice(),
      trafficClass: form & 4 == 0 ? 0 : input.choice(),
      encoding: form & 8 == 0 ? 0 : input.choice(),
      stream: form & 16 == 0 ? input.pick(Self.streams) : input.word())
    payload = form & 32 == 0 ? input.literal(upTo: 255) : FuzzInput.payload(input.length(upTo: 65_536))
    header.payloadLength = UInt32(payload.readableBytes)
    if form & 64 != 0, form & 128 != 0 { header.payloadLength = UInt32(truncatingIfNeeded: input.word()) }
    hasRightChecksum = form & 0xC0 != 0x40
  }

  func write(into buffer: inout ByteBuffer, isChecksummed: Bool) {
    var frame = ByteBuffer()
    header.write(into: &frame)
    frame.writeImmutableBuffer(payload)
    if isChecksummed {
      var checksum = FrameChecksum()
      checksum.update(frame)
      frame.writeInteger(hasRightChecksum ? checksum.value : ~checksum.value)
    }
    buffer.writeImmutableBuffer(frame)
  }
}
