import NIOCore
import StreamMux
import Testing

@Suite("Checksums find what changed on the way")
struct FrameChecksumTests {
  // R-FRM-31
  @Test("each flipped bit of a frame is found, whatever part of the frame it is in")
  func flips() {
    let encoder = FrameEncoder(isChecksummed: true)
    var frames: [ByteBuffer] = []
    let all: [Frame] = [
      .ping(42), .credit(stream: 1, limit: 9), .reset(stream: 1, code: .cancelled),
      .streams(.append, limit: 3), .goAway(GoAway(lastStream: 4, code: .shutdown, text: "bye")),
    ]
    for frame in all {
      var bytes = ByteBuffer()
      encoder.write(frame, into: &bytes)
      frames.append(bytes)
    }
    var data = ByteBuffer()
    encoder.write(
      DataHeader(stream: 1, opening: .init(trafficClass: 2, encoding: 0, group: 5), byteCount: 6),
      payload: ByteBuffer(bytes: [1, 2, 3, 4, 5, 6]), into: &data)
    frames.append(data)
    var ignorable = ByteBuffer()
    encoder.writeIgnorable(type: 0x81, payload: [1, 2, 3], into: &ignorable)
    frames.append(ignorable)

    var undetected: [String] = []
    for frame in frames {
      #expect(decode([frame], isChecksummed: true).violation == nil)
      for index in 0..<frame.readableBytes {
        for bit in 0..<8 {
          var damaged = frame
          let byte = damaged.getInteger(at: index, as: UInt8.self) ?? 0
          damaged.setInteger(byte ^ (1 << UInt8(bit)), at: index)
          // A damaged length makes the frame longer: more bytes follow, as they would.
          if 4..<8 ~= index { damaged.writeRepeatingByte(0, count: 70_000) }
          let got = decode([damaged], isChecksummed: true)
          if got.violation == nil || !got.found.isEmpty {
            undetected.append("\(hex(frame)) at \(index).\(bit)")
          }
          // Behind the header it is the checksum that tells.
          if index >= 16 {
            #expect(got.violation?.code == .checksumMismatch)
          }
        }
      }
    }
    #expect(undetected.isEmpty)
  }

  @Test("each changed byte of a large frame is found, in one piece and in many")
  func largeFrame() {
    let body = ByteBuffer(bytes: (0..<1_000).map { UInt8(truncatingIfNeeded: $0) })
    var whole = ByteBuffer()
    FrameEncoder(isChecksummed: true).write(
      DataHeader(stream: 1, byteCount: body.readableBytes), payload: body, into: &whole)
    for index in 16..<whole.readableBytes {
      var damaged = whole
      damaged.setInteger((damaged.getInteger(at: index, as: UInt8.self) ?? 0) ^ 0xFF, at: index)
      for pieces in [[damaged], cut(damaged, at: [10, 500, 501, 1_017])] {
        let got = decode(pieces, isChecksummed: true)
        #expect(got.found.isEmpty)
        #expect(got.violation?.sin == .checksumMismatch(.init(.data), stream: 1))
      }
    }
  }

  // R-FRM-29, R-FRM-30
  @Test("the frame behind WELCOME is the first with a checksum, also within one read")
  func switchInsideRead() throws {
    var bytes = ByteBuffer()
    FrameEncoder().write(.welcome(.accepted(grantsRoute: true)), into: &bytes)
    FrameEncoder(isChecksummed: true).write(.ping(5), into: &bytes)
    var decoder = FrameDecoder(maximumFramePayload: 65_536)
    decoder.append(bytes)
    #expect(try decoder.next() == .frame(.welcome(.accepted(grantsRoute: true))))
    decoder.endHandshake(isChecksummed: true)
    #expect(try decoder.next() == .frame(.ping(5)))
    #expect(try decoder.next() == nil)
  }
}
