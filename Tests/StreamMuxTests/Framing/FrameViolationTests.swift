import NIOCore
import StreamMux
import Testing

@Suite("Each sin of a frame has its violation")
struct FrameViolationTests {
  typealias Sin = Violation.Sin

  static let sins: [(hex: String, sin: Sin, code: ErrorCode)] = [
    ("00 00 00 00 00000000 0000000000000000", .unassignedFrameType(0x00), .protocolViolation),
    ("04 00 00 00 00000000 0000000000000000", .unassignedFrameType(0x04), .protocolViolation),
    ("15 00 00 00 00000000 0000000000000001", .unassignedFrameType(0x15), .protocolViolation),
    ("3F 00 00 00 00000000 0000000000000000", .unassignedFrameType(0x3F), .protocolViolation),
    ("40 00 00 00 00000000 0000000000000000", .frameNotNegotiated(0x40), .protocolViolation),
    ("7F 00 00 00 00000000 0000000000000000", .frameNotNegotiated(0x7F), .protocolViolation),
    ("10 08 00 00 00000000 0000000000000001", .unknownFlags(.data, 0x08), .protocolViolation),
    ("10 87 01 00 00000008 0000000000000001", .unknownFlags(.data, 0x80), .protocolViolation),
    ("20 01 00 00 00000008 0000000000000000", .unknownFlags(.ping, 0x01), .protocolViolation),
    ("11 02 00 00 00000008 0000000000000001", .unknownFlags(.credit, 0x02), .protocolViolation),
    ("10 00 01 00 00000000 0000000000000001", .classOutOfPlace(.data, 1), .protocolViolation),
    ("12 00 02 00 00000004 0000000000000001", .classOutOfPlace(.reset, 2), .protocolViolation),
    ("22 00 FF 00 0000000E 0000000000000000", .classOutOfPlace(.goAway, 0xFF), .protocolViolation),
    ("10 00 00 01 00000000 0000000000000001", .encodingOutOfPlace(.data, 1), .protocolViolation),
    ("14 00 01 01 00000008 0000000000000000", .encodingOutOfPlace(.streams, 1), .protocolViolation),
    ("21 00 00 09 00000008 0000000000000000", .encodingOutOfPlace(.pong, 9), .protocolViolation),
    ("14 00 00 00 00000008 0000000000000000", .streamsWithoutClass(0), .protocolViolation),
    ("14 00 04 00 00000008 0000000000000000", .streamsWithoutClass(4), .protocolViolation),
    ("01 00 00 00 00000000 0000000000000001", .connectionFrameOnStream(.hello, 1), .protocolViolation),
    (
      "02 00 00 00 00000001 0000000000000001", .connectionFrameOnStream(.authentication, 1),
      .protocolViolation
    ),
    ("03 00 00 00 00000008 0000000000000001", .connectionFrameOnStream(.welcome, 1), .protocolViolation),
    ("14 00 01 00 00000008 0000000000000002", .connectionFrameOnStream(.streams, 2), .protocolViolation),
    ("20 00 00 00 00000008 0000000000000003", .connectionFrameOnStream(.ping, 3), .protocolViolation),
    ("21 00 00 00 00000008 0000000000000003", .connectionFrameOnStream(.pong, 3), .protocolViolation),
    ("22 00 00 00 0000000E FFFFFFFFFFFFFFFF", .connectionFrameOnStream(.goAway, .max), .protocolViolation),
    ("10 00 00 00 00000001 0000000000000000", .streamFrameOnConnection(.data), .protocolViolation),
    ("11 00 00 00 00000008 0000000000000000", .streamFrameOnConnection(.credit), .protocolViolation),
    ("12 00 00 00 00000004 0000000000000000", .streamFrameOnConnection(.reset), .protocolViolation),
    ("13 00 00 00 00000004 0000000000000000", .streamFrameOnConnection(.stop), .protocolViolation),
    (
      "10 00 00 00 00004001 0000000000000001",
      .frameTooLarge(.init(.data), length: 16_385, limit: 16_384), .frameSize
    ),
    (
      "10 00 00 00 FFFFFFFF 0000000000000001",
      .frameTooLarge(.init(.data), length: 4_294_967_295, limit: 16_384), .frameSize
    ),
    (
      "22 00 00 00 00010000 0000000000000000",
      .frameTooLarge(.init(.goAway), length: 65_536, limit: 16_384), .frameSize
    ),
    (
      "11 00 00 00 00000007 0000000000000001",
      .wrongPayloadLength(.credit, length: 7, legal: 8...8), .frameSize
    ),
    (
      "12 00 00 00 00000005 0000000000000001",
      .wrongPayloadLength(.reset, length: 5, legal: 4...4), .frameSize
    ),
    (
      "13 00 00 00 00000000 0000000000000001",
      .wrongPayloadLength(.stop, length: 0, legal: 4...4), .frameSize
    ),
    (
      "14 00 01 00 00000004 0000000000000000",
      .wrongPayloadLength(.streams, length: 4, legal: 8...8), .frameSize
    ),
    (
      "20 00 00 00 00000000 0000000000000000",
      .wrongPayloadLength(.ping, length: 0, legal: 8...8), .frameSize
    ),
    (
      "21 00 00 00 00000009 0000000000000000",
      .wrongPayloadLength(.pong, length: 9, legal: 8...8), .frameSize
    ),
    (
      "22 00 00 00 0000000D 0000000000000000",
      .wrongPayloadLength(.goAway, length: 13, legal: 14...526), .frameSize
    ),
    (
      "22 00 00 00 0000020F 0000000000000000",
      .wrongPayloadLength(.goAway, length: 527, legal: 14...526), .frameSize
    ),
    (
      "01 00 00 00 00000C01 0000000000000000",
      .wrongPayloadLength(.hello, length: 3_073, legal: 0...3_072), .frameSize
    ),
    (
      "02 00 00 00 00000000 0000000000000000",
      .wrongPayloadLength(.authentication, length: 0, legal: 1...257), .frameSize
    ),
    (
      "02 00 00 00 00000102 0000000000000000",
      .wrongPayloadLength(.authentication, length: 258, legal: 1...257), .frameSize
    ),
    (
      "03 00 00 00 00000007 0000000000000000",
      .wrongPayloadLength(.welcome, length: 7, legal: 8...536), .frameSize
    ),
    (
      "10 01 01 00 00000007 0000000000000001",
      .openingWithoutGroup(stream: 1, length: 7), .frameSize
    ),
    ("10 01 01 00 00000000 0000000000000005", .openingWithoutGroup(stream: 5, length: 0), .frameSize),
    // One byte of text announced, none there; and the other way round.
    (
      "22 00 00 00 0000000E 0000000000000000 0000000000000000 00000001 0001",
      .malformedGoAway, .frameSize
    ),
    (
      "22 00 00 00 0000000F 0000000000000000 0000000000000000 00000001 0000 41",
      .malformedGoAway, .frameSize
    ),
    ("FF 00 00 00 00001001 0000000000000000", .ignorableTooLarge(0xFF, length: 4_097), .excessiveLoad),
    (
      "80 FF FF FF FFFFFFFF FFFFFFFFFFFFFFFF", .ignorableTooLarge(0x80, length: 4_294_967_295), .excessiveLoad
    ),
    // A proof where the method has none.
    (
      "02 00 00 00 00000002 0000000000000000 00 01",
      .malformedAuthentication(method: 0, length: 1), .protocolViolation
    ),
    (
      "02 00 00 00 00000003 0000000000000000 01 0102",
      .malformedAuthentication(method: 1, length: 2), .protocolViolation
    ),
    // The winner is neither there nor absent; it is cut off; the text is longer and shorter than it says.
    ("03 00 00 00 00000008 0000000000000000 00000024 00 02 0000", .malformedWelcome, .protocolViolation),
    ("03 00 00 00 00000008 0000000000000000 00000024 00 01 0000", .malformedWelcome, .protocolViolation),
    ("03 00 00 00 00000009 0000000000000000 00000021 00 00 0000 41", .malformedWelcome, .protocolViolation),
    ("03 00 00 00 00000008 0000000000000000 00000021 00 00 0001", .malformedWelcome, .protocolViolation),
  ]

  // R-FRM-6, R-FRM-7, R-FRM-8, R-FRM-9, R-FRM-11, R-FRM-13, R-FRM-14, R-FRM-15, R-FRM-16, R-FRM-18,
  // R-FRM-19, R-FRM-20, R-FRM-21, R-FRM-25, R-HSK-26, R-HSK-39, R-HSK-43
  @Test("it is found, with its code, from the header where that is enough", arguments: sins.indices)
  func sin(index: Int) {
    let (hex, sin, code) = Self.sins[index]
    let got = decode([buffer(hex)], maximumFramePayload: 16_384)
    #expect(got.found == [])
    #expect(got.violation?.sin == sin)
    #expect(got.violation?.code == code)
  }

  @Test("it ends the decoder: nothing behind it is found, and every call says so")
  func terminal() throws {
    var decoder = FrameDecoder(maximumFramePayload: 65_536)
    decoder.append(buffer("00 00 00 00 00000000 0000000000000000"))
    #expect(throws: Violation(.unassignedFrameType(0))) { try decoder.next() }
    decoder.append(mixedFrames(isChecksummed: false, dataLength: 1))
    #expect(throws: Violation(.unassignedFrameType(0))) { try decoder.next() }
  }

  // R-FRM-10
  @Test("frames to ignore may have any flags, class, encoding and stream")
  func ignorable() {
    let got = decode([
      buffer("80 FF FF FF 00000003 FFFFFFFFFFFFFFFF 010203 FF 00 00 00 00000000 0000000000000000")
    ])
    #expect(got.violation == nil)
    #expect(got.found == [.ignorable(0x80, 3), .ignorable(0xFF, 0)])
    let largest = decode([
      buffer("AA 00 00 00 00001000 0000000000000000"), ByteBuffer(repeating: 0, count: 4_096),
    ])
    #expect(largest.violation == nil)
    #expect(largest.found == [.ignorable(0xAA, 4_096)])
  }

  // R-FRM-6
  @Test("the largest legal frame is taken, at each limit", arguments: [4_096, 65_536], [false, true])
  func largest(limit: Int, isChecksummed: Bool) {
    let body = ByteBuffer(repeating: 0x5A, count: limit)
    var whole = ByteBuffer()
    FrameEncoder(isChecksummed: isChecksummed).write(
      DataHeader(stream: 1, byteCount: limit), payload: body, into: &whole)
    let got = decode([whole], isChecksummed: isChecksummed, maximumFramePayload: limit)
    #expect(got.violation == nil)
    #expect(got.found == [.data(DataHeader(stream: 1, byteCount: limit), Array(body.readableBytesView))])
  }

  // R-STR-5, R-STR-6, R-STR-7
  @Test("an opening of unknown class or encoding is no sin of the connection")
  func unknownOpening() throws {
    let table: [(String, ErrorCode?)] = [
      ("10 01 00 00 00000008 0000000000000001 0000000000000000", .unknownClass),
      ("10 01 04 00 00000008 0000000000000001 0000000000000000", .unknownClass),
      ("10 01 01 02 00000008 0000000000000001 0000000000000000", .unknownEncoding),
      ("10 01 01 01 00000008 0000000000000001 0000000000000000", .unknownEncoding),
      ("10 01 02 01 00000008 0000000000000001 0000000000000000", .unknownEncoding),
      ("10 01 03 02 00000008 0000000000000001 0000000000000000", .unknownEncoding),
      ("10 01 03 01 00000008 0000000000000001 0000000000000000", nil),
      ("10 01 02 00 00000008 0000000000000001 0000000000000000", nil),
    ]
    for (hex, code) in table {
      let got = decode([buffer(hex)])
      #expect(got.violation == nil)
      guard case .data(let header, _) = try #require(got.found.first) else {
        Issue.record("no DATA in \(hex)")
        continue
      }
      let opening = try #require(header.opening)
      do throws(DataHeader.UnknownOpening) {
        _ = try opening.known()
        #expect(code == nil, "\(hex)")
      } catch {
        #expect(error.code == code, "\(hex)")
      }
    }
  }

  // R-HSK-31
  @Test("a handshake beyond 4,096 bytes is found at the header that goes beyond")
  func handshakeTooLarge() {
    // 8 of the preface are counted, so 4,072 of payload would be the most, if HELLO alone could be so large.
    let one = decode([buffer("01 00 00 00 00000FE9 0000000000000000")], isHandshaking: true)
    #expect(one.violation?.sin == .handshakeTooLarge(length: 4_097))
    #expect(one.violation?.code == .handshakeTooLarge)

    // Many small frames add up, too: 8 + 240 x 17 is 4,088.
    let small = (0..<240).map { _ in buffer("02 00 00 00 00000001 0000000000000000 00") }
    #expect(decode(small, isHandshaking: true).violation == nil)
    let more = decode(small + [small[0]], isHandshaking: true)
    #expect(more.found.count == 240)
    #expect(more.violation?.sin == .handshakeTooLarge(length: 4_105))
    // Behind the handshake nobody counts.
    #expect(decode(small + [small[0]]).violation == nil)
  }
}
