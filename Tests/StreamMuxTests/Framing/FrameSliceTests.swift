import NIOCore
import Testing

@testable import StreamMux

@Suite("Stream bytes are not copied")
struct FrameSliceTests {
  /// Where the bytes of a buffer lie in memory.
  private func address(_ buffer: ByteBuffer) -> UInt {
    buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
  }

  @Test("payload slices lie in the buffers that were received", arguments: [false, true])
  func shared(isChecksummed: Bool) throws {
    let body = ByteBuffer(bytes: (0..<9_000).map { UInt8(truncatingIfNeeded: $0) })
    var whole = ByteBuffer()
    FrameEncoder(isChecksummed: isChecksummed).write(
      DataHeader(stream: 1, byteCount: body.readableBytes), payload: body, into: &whole)
    // Two reads, each a buffer of its own.
    let reads = cut(whole, at: [4_000]).map { ByteBuffer(bytes: $0.readableBytesView) }

    var decoder = FrameDecoder(maximumFramePayload: 65_536)
    decoder.endHandshake(isChecksummed: isChecksummed)
    var slices: [ByteBuffer] = []
    for read in reads {
      decoder.append(read)
      while let event = try decoder.next() {
        if case .payload(let slice, _) = event { slices.append(slice) }
      }
    }
    try #require(slices.count == 2)
    #expect(address(slices[0]) == address(reads[0]) + 16)
    #expect(address(slices[1]) == address(reads[1]))
    #expect(slices.map(\.readableBytes) == [3_984, 5_016])
  }

  @Test("without checksums bytes are handed on before the frame is whole")
  func early() throws {
    var decoder = FrameDecoder(maximumFramePayload: 65_536)
    decoder.endHandshake(isChecksummed: false)
    decoder.append(buffer("10 00 00 00 00001000 0000000000000001 AABB"))
    #expect(try decoder.next() == .data(DataHeader(stream: 1, byteCount: 4_096)))
    #expect(try decoder.next() == .payload(ByteBuffer(bytes: [0xAA, 0xBB]), isLast: false))
    #expect(try decoder.next() == nil)
  }

  // R-FRM-32
  @Test("with checksums nothing is handed on before the last byte was checked")
  func late() throws {
    var whole = ByteBuffer()
    FrameEncoder(isChecksummed: true).write(
      DataHeader(stream: 1, byteCount: 4), payload: ByteBuffer(bytes: [1, 2, 3, 4]), into: &whole)
    var decoder = FrameDecoder(maximumFramePayload: 65_536)
    decoder.endHandshake(isChecksummed: true)
    let pieces = cut(whole, at: [whole.readableBytes - 1])
    decoder.append(pieces[0])
    #expect(try decoder.next() == nil)
    decoder.append(pieces[1])
    #expect(try decoder.next() == .data(DataHeader(stream: 1, byteCount: 4)))
  }

  @Test("single bytes do not keep a buffer each alive")
  func smallPieces() {
    var held = HeldBytes()
    for value in 0..<65_536 {
      held.append(ByteBuffer(integer: UInt8(truncatingIfNeeded: value)))
    }
    #expect(held.count <= 200)
    var all: [UInt8] = []
    while let piece = held.popFirst() { all += Array(piece.readableBytesView) }
    #expect(all == (0..<65_536).map { UInt8(truncatingIfNeeded: $0) })
  }

  @Test("small and large pieces in turn keep a bounded number of buffers alive and their order")
  func mixedPieces() {
    var held = HeldBytes()
    var expected: [UInt8] = []
    var value: UInt8 = 0
    while expected.count < 65_536 {
      let length = expected.count.isMultiple(of: 2) ? 1 : 1_024
      let piece = [UInt8](repeating: value, count: min(length, 65_536 - expected.count))
      held.append(ByteBuffer(bytes: piece))
      expected += piece
      value &+= 1
    }
    #expect(held.count <= 200)
    var all: [UInt8] = []
    while let piece = held.popFirst() { all += Array(piece.readableBytesView) }
    #expect(all == expected)
  }
}
