import NIOCore
import StreamMux
import Testing

@Suite("How bytes are cut into reads changes nothing")
struct FrameSplitTests {
  // R-FRM-27
  @Test("pieces of every size give the same", arguments: [false, true])
  func everySize(isChecksummed: Bool) {
    let whole = mixedFrames(isChecksummed: isChecksummed, dataLength: 700)
    let expected = decode([whole], isChecksummed: isChecksummed)
    #expect(expected.violation == nil)
    #expect(expected.found.count == 9)
    for size in 1...whole.readableBytes {
      let places = Array(stride(from: size, to: whole.readableBytes, by: size))
      let got = decode(cut(whole, at: places), isChecksummed: isChecksummed)
      #expect(got.violation == nil, "pieces of \(size)")
      #expect(got.found == expected.found, "pieces of \(size)")
    }
  }

  // R-FRM-27
  @Test("every pair of cuts gives the same", arguments: [false, true])
  func everyPair(isChecksummed: Bool) {
    let encoder = FrameEncoder(isChecksummed: isChecksummed)
    var whole = ByteBuffer()
    encoder.write(
      DataHeader(stream: 1, opening: .init(trafficClass: 2, encoding: 0, group: 9), byteCount: 5),
      payload: ByteBuffer(bytes: [1, 2, 3, 4, 5]), into: &whole)
    encoder.write(.reset(stream: 3, code: .cancelled), into: &whole)
    encoder.writeIgnorable(type: 0x9C, payload: [6, 7], into: &whole)
    encoder.write(DataHeader(stream: 1, isLast: true, byteCount: 0), payload: ByteBuffer(), into: &whole)
    let expected = decode([whole], isChecksummed: isChecksummed)
    #expect(expected.found.count == 4)
    var different: [String] = []
    for first in 0...whole.readableBytes {
      for second in first...whole.readableBytes {
        let got = decode(cut(whole, at: [first, second]), isChecksummed: isChecksummed)
        if got.violation != nil || got.found != expected.found { different.append("\(first), \(second)") }
      }
    }
    #expect(different.isEmpty)
  }

  @Test("appending several pieces before asking gives the same", arguments: [false, true])
  func piledUp(isChecksummed: Bool) throws {
    let whole = mixedFrames(isChecksummed: isChecksummed, dataLength: 300)
    var decoder = FrameDecoder(maximumFramePayload: 65_536)
    decoder.endHandshake(isChecksummed: isChecksummed)
    for piece in cut(whole, at: Array(stride(from: 3, to: whole.readableBytes, by: 3))) {
      decoder.append(piece)
    }
    var frames = 0
    var streamBytes = 0
    while let event = try decoder.next() {
      switch event {
      case .payload(let slice, let isLast):
        streamBytes += slice.readableBytes
        frames += isLast ? 1 : 0
      case .data: break
      case .frame, .ignorable: frames += 1
      }
    }
    #expect(frames == 9)
    #expect(streamBytes == 303)
    #expect(decoder.isBetweenFrames)
  }

  @Test("a violation is found at the same byte however it is cut")
  func violationPlace() {
    var whole = ByteBuffer()
    FrameEncoder().write(.ping(1), into: &whole)
    let good = whole.readableBytes
    whole.writeBytes(bytes("20 00 00 00 00000009 0000000000000000"))
    for size in 1...whole.readableBytes {
      let places = Array(stride(from: size, to: whole.readableBytes, by: size))
      let got = decode(cut(whole, at: places))
      #expect(got.found == [.frame(.ping(1))])
      #expect(got.violation == Violation(.wrongPayloadLength(.ping, length: 9, legal: 8...8)))
    }
    let early = decode([whole.getSlice(at: 0, length: good + 15) ?? ByteBuffer()])
    #expect(early.violation == nil)
  }

  @Test("the end of the input inside a frame can be told", arguments: [false, true])
  func betweenFrames(isChecksummed: Bool) throws {
    let whole = mixedFrames(isChecksummed: isChecksummed, dataLength: 5)
    var ends: Set<Int> = []
    for length in 0...whole.readableBytes {
      var decoder = FrameDecoder(maximumFramePayload: 65_536)
      decoder.endHandshake(isChecksummed: isChecksummed)
      decoder.append(whole.getSlice(at: 0, length: length) ?? ByteBuffer())
      while try decoder.next() != nil {}
      if decoder.isBetweenFrames { ends.insert(length) }
    }
    // Nothing at all, and the end of each of nine frames.
    #expect(ends.count == 10)
    #expect(ends.contains(0) && ends.contains(whole.readableBytes))
  }
}
