import NIOCore
import StreamMux
import Testing

@Suite("Frames are these bytes")
struct FrameBytesTests {
  static let frames: [(frame: Frame, hex: String)] = [
    (
      .authentication(Authentication(.none)),
      "02 00 00 00 00000001 0000000000000000 00"
    ),
    (
      .authentication(Authentication(.sharedKey, proof: [0xAA, 0xBB])),
      "02 00 00 00 00000003 0000000000000000 02 AABB"
    ),
    (
      .welcome(.accepted(grantsRoute: false)),
      "03 00 00 00 00000008 0000000000000000 00000000 00 00 0000"
    ),
    (
      .welcome(.accepted(grantsRoute: true)),
      "03 00 00 00 00000008 0000000000000000 00000000 01 00 0000"
    ),
    (
      .welcome(.refused(Refusal(code: .wrongCluster, text: "no"))),
      "03 00 00 00 0000000A 0000000000000000 00000021 00 00 0002 6E6F"
    ),
    (
      .welcome(.refused(Refusal(code: .duplicate, text: "", winner: Nonce(high: 1, low: 2)))),
      """
      03 00 00 00 00000018 0000000000000000
      00000024 00 01 0000000000000001 0000000000000002 0000
      """
    ),
    (.credit(stream: 3, limit: 0x1_0000_0001), "11 00 00 00 00000008 0000000000000003 0000000100000001"),
    (.reset(stream: 4, code: .cancelled), "12 00 00 00 00000004 0000000000000004 00000040"),
    (.stop(stream: .max, code: .notNeeded), "13 00 00 00 00000004 FFFFFFFFFFFFFFFF 0000004A"),
    (.streams(.election, limit: 65), "14 00 01 00 00000008 0000000000000000 0000000000000041"),
    (.streams(.snapshot, limit: 9), "14 00 03 00 00000008 0000000000000000 0000000000000009"),
    (.ping(0x0102_0304_0506_0708), "20 00 00 00 00000008 0000000000000000 0102030405060708"),
    (.pong(0xFFFF_FFFF_FFFF_FFFE), "21 00 00 00 00000008 0000000000000000 FFFFFFFFFFFFFFFE"),
    (
      .goAway(GoAway(lastStream: ProtocolConstants.soon, code: .shutdown)),
      "22 00 00 00 0000000E 0000000000000000 FFFFFFFFFFFFFFFF 0000000C 0000"
    ),
    (
      .goAway(GoAway(lastStream: 6, code: .flowControl, text: "é")),
      "22 00 00 00 00000010 0000000000000000 0000000000000006 00000003 0002 C3A9"
    ),
  ]

  @Test("each control frame is written and read as computed by hand", arguments: frames.indices)
  func controlFrame(index: Int) {
    let (frame, expected) = Self.frames[index]
    var written = ByteBuffer()
    FrameEncoder().write(frame, into: &written)
    #expect(hex(written) == hex(bytes(expected)))
    let (found, violation) = decode([buffer(expected)])
    #expect(violation == nil)
    #expect(found == [.frame(frame)])
  }

  @Test("HELLO is written and read as computed by hand")
  func hello() throws {
    let hello = try Hello(
      minimumVersion: 1, maximumVersion: 2, features: .crc32, methods: [.none, .sharedKey],
      maximumFramePayload: 16_384, initialWindow: 65_536,
      streamCredit: StreamCredit(election: 1, append: 2, snapshot: 3),
      incarnation: 0x0102_0304_0506_0708, nonce: Nonce(high: 0xA0, low: 0xB0), clusterID: "blue",
      serverID: "n1", address: "", targetServerID: "n2",
      extensions: [.init(type: 0x1234, value: [9])])
    let expected = """
      0001 0002 0000000000000001 00000005 00004000 00010000 00000001 00000002 00000003
      0102030405060708 00000000000000A0 00000000000000B0
      0004 626C7565 0002 6E31 0000 0002 6E32
      1234 0001 09
      """
    #expect(hex(payload(of: hello)) == hex(bytes(expected)))
    #expect(hello.encodedLength == bytes(expected).count)
    #expect(try Hello(decoding: buffer(expected)) == hello)

    var frame = ByteBuffer()
    FrameEncoder().write(.hello(payload(of: hello)), into: &frame)
    #expect(hex(frame) == hex(bytes("01 00 00 00 00000051 0000000000000000" + expected)))
  }

  static let data: [(header: DataHeader, payload: [UInt8], hex: String)] = [
    (
      DataHeader(
        stream: 1, opening: .init(trafficClass: 1, encoding: 0, group: 0x0A), isLast: true, byteCount: 2),
      [0xCA, 0xFE],
      "10 03 01 00 0000000A 0000000000000001 000000000000000A CAFE"
    ),
    (
      DataHeader(
        stream: 2, opening: .init(trafficClass: 3, encoding: 1, group: 0), hasMore: true, byteCount: 1),
      [7],
      "10 05 03 01 00000009 0000000000000002 0000000000000000 07"
    ),
    (DataHeader(stream: 2, hasMore: true, byteCount: 1), [8], "10 04 00 00 00000001 0000000000000002 08"),
    (DataHeader(stream: 2, isLast: true, byteCount: 0), [], "10 02 00 00 00000000 0000000000000002"),
    (DataHeader(stream: 0x1_0000_0000, byteCount: 0), [], "10 00 00 00 00000000 0000000100000000"),
  ]

  // R-FRM-24
  @Test("each DATA frame is written and read as computed by hand", arguments: data.indices)
  func dataFrame(index: Int) {
    let (header, payload, expected) = Self.data[index]
    let encoder = FrameEncoder()
    var written = ByteBuffer()
    encoder.write(header, payload: ByteBuffer(bytes: payload), into: &written)
    #expect(hex(written) == hex(bytes(expected)))
    #expect(encoder.encodedLength(of: header) == written.readableBytes)
    let (found, violation) = decode([buffer(expected)])
    #expect(violation == nil)
    #expect(found == [.data(header, payload)])
  }

  // R-FRM-29
  @Test("a checksum is that of zlib over header and payload")
  func checksum() {
    var check = FrameChecksum()
    check.update(ByteBuffer(string: "123456789"))
    #expect(check.value == 0xCBF4_3926)

    var written = ByteBuffer()
    FrameEncoder(isChecksummed: true).write(.ping(0x0102_0304_0506_0708), into: &written)
    let frame = "20 00 00 00 00000008 0000000000000000 0102030405060708"
    // Computed with Python: zlib.crc32(bytes.fromhex(...)).
    #expect(hex(written) == hex(bytes(frame + "E1EF2C68")))
  }

  @Test("a DATA frame in slices has the bytes of one written whole", arguments: [false, true])
  func slices(isChecksummed: Bool) {
    let encoder = FrameEncoder(isChecksummed: isChecksummed)
    let payload = ByteBuffer(bytes: (0..<5_000).map { UInt8(truncatingIfNeeded: $0) })
    let header = DataHeader(
      stream: 9, opening: .init(trafficClass: 2, encoding: 0, group: 3), byteCount: payload.readableBytes)
    var whole = ByteBuffer()
    encoder.write(header, payload: payload, into: &whole)

    var pieces = ByteBuffer()
    var checksum = encoder.begin(header, into: &pieces)
    for piece in cut(payload, at: [1, 1_000, 1_000, 4_999]) {
      checksum?.update(piece)
      pieces.writeImmutableBuffer(piece)
    }
    encoder.finish(checksum, into: &pieces)
    #expect(pieces == whole)
    #expect(encoder.encodedLength(of: header) == whole.readableBytes)
  }

  @Test("text that is too long is cut between two characters", arguments: ["x", "é", "€", "😀"])
  func longText(character: String) throws {
    let text = String(repeating: character, count: 600)
    var written = ByteBuffer()
    FrameEncoder().write(.goAway(GoAway(lastStream: 0, code: .busy, text: text)), into: &written)
    let (found, violation) = decode([written])
    #expect(violation == nil)
    guard case .frame(.goAway(let goAway)) = try #require(found.first) else {
      Issue.record("no GOAWAY but \(found)")
      return
    }
    #expect(text.hasPrefix(goAway.text))
    #expect(goAway.text.utf8.count > 512 - character.utf8.count)
    #expect(goAway.text.utf8.count <= 512)
  }

  // R-HSK-47
  @Test(
    "a winner in a WELCOME of another code than duplicate changes nothing", arguments: [0, 0x28] as [UInt32])
  func winnerOutOfPlace(code: UInt32) throws {
    func welcome(winner: Bool) throws -> [FrameEvent] {
      var bytes = ByteBuffer()
      FrameHeader(type: 0x03, payloadLength: winner ? 24 : 8).write(into: &bytes)
      bytes.writeMultipleIntegers(code, UInt8(1), UInt8(winner ? 1 : 0))
      if winner { bytes.writeRepeatingByte(7, count: 16) }
      bytes.writeInteger(UInt16(0))
      var decoder = FrameDecoder(maximumFramePayload: 65_536)
      decoder.append(bytes)
      var events: [FrameEvent] = []
      while let event = try decoder.next() { events.append(event) }
      return events
    }
    let role = Role.dialler
    for winner in [false, true] {
      var (machine, _, peer) = try afterHello(role)
      _ = machine.receive(authenticated)
      _ = machine.accept(grantsRoute: false)
      let event = try #require(try welcome(winner: winner).first)
      let actions = machine.receive(event)
      #expect(machine.isEstablished == (code == 0), "\(actions) of \(peer.serverID)")
      let isRefused = actions.contains { action in
        if case .refusedByPeer(let refusal) = action { refusal.code.rawValue == code } else { false }
      }
      #expect(isRefused == (code != 0))
    }
  }

  // R-FRM-28
  @Test("a text that is no UTF-8 does not hide its code")
  func brokenText() {
    let (found, violation) = decode([
      buffer("22 00 00 00 00000010 0000000000000000 0000000000000006 00000003 0002 C328")
    ])
    #expect(violation == nil)
    #expect(found == [.frame(.goAway(GoAway(lastStream: 6, code: .flowControl, text: "\u{FFFD}(")))])
  }
}
