import NIOCore
import StreamMux
import Testing

@Suite("HELLO")
struct HelloTests {
  // R-HSK-4
  @Test("ends nowhere but at its end")
  func truncated() throws {
    let whole = payload(of: try sampleHello(target: "n2", extensions: [.init(type: 9, value: [1, 2])]))
    // Without its extension it is whole, too.
    let withoutExtension = whole.readableBytes - 6
    for length in 0..<whole.readableBytes where length != withoutExtension {
      let part = whole.getSlice(at: 0, length: length) ?? ByteBuffer()
      #expect(throws: HelloDefect.self) { try Hello(decoding: part) }
    }
    let field = HelloDefect.truncated(.fixedFields)
    #expect(throws: field) { try Hello(decoding: whole.getSlice(at: 0, length: 59) ?? ByteBuffer()) }
    #expect(throws: HelloDefect.truncated(.clusterID)) {
      try Hello(decoding: whole.getSlice(at: 0, length: 60) ?? ByteBuffer())
    }
    #expect(throws: HelloDefect.truncated(.extensions)) {
      try Hello(decoding: whole.getSlice(at: 0, length: whole.readableBytes - 1) ?? ByteBuffer())
    }
  }

  // R-HSK-4
  /// Offsets of the fixed fields.
  @Test(
    "has ranges",
    arguments: [
      (0, "0000", HelloDefect.versions(0, 1)), (0, "0002", .versions(2, 1)),
      (16, "00000FFF", .framePayload(4_095)), (16, "00010001", .framePayload(65_537)),
      (20, "00003FFF", .initialWindow(16_383)), (20, "04000001", .initialWindow(67_108_865)),
      (20, "FFFFFFFF", .initialWindow(.max)), (60, "0100", .truncated(.clusterID)),
      (62, "FF", .notUnicode(.clusterID)), (72, "C0", .notUnicode(.address)),
    ] as [(Int, String, HelloDefect)])
  func ranges(offset: Int, hex: String, defect: HelloDefect) throws {
    var damaged = payload(of: try sampleHello())
    damaged.setBytes(bytes(hex), at: offset)
    #expect(throws: defect) { try Hello(decoding: damaged) }
    #expect(!defect.description.isEmpty)
  }

  @Test("takes the ends of its ranges")
  func ends() throws {
    for (frame, window) in [(4_096, 16_384), (65_536, 67_108_864)] as [(UInt32, UInt32)] {
      let hello = try Hello(
        minimumVersion: 1, maximumVersion: .max, features: .init(rawValue: .max),
        methods: .init(rawValue: .max),
        maximumFramePayload: frame, initialWindow: window,
        streamCredit: StreamCredit(election: 0, append: .max, snapshot: 0), incarnation: .max,
        nonce: Nonce(high: .max, low: 0), clusterID: String(repeating: "c", count: 255), serverID: "é",
        address: String(repeating: "a", count: 255), targetServerID: String(repeating: "t", count: 255))
      #expect(try Hello(decoding: payload(of: hello)) == hello)
    }
  }

  // R-HSK-4
  @Test("has strings of at most 255 bytes, not characters")
  func tooLong() throws {
    #expect(throws: HelloDefect.tooLong(.serverID, 256)) {
      try sampleHello(server: String(repeating: "é", count: 128))
    }
    #expect(throws: HelloDefect.empty(.clusterID)) { try sampleHello(cluster: "") }
    var long = payload(of: try sampleHello()).getSlice(at: 0, length: 60) ?? ByteBuffer()
    long.writeInteger(UInt16(256))
    long.writeRepeatingByte(0x61, count: 400)
    #expect(throws: HelloDefect.tooLong(.clusterID, 256)) { try Hello(decoding: long) }
  }

  // R-HSK-4
  @Test("names its cluster and its server")
  func empty() throws {
    let fixed = payload(of: try sampleHello()).getSlice(at: 0, length: 60) ?? ByteBuffer()
    var noCluster = fixed
    noCluster.writeBytes(bytes("0000 0001 61 0000 0000"))
    #expect(throws: HelloDefect.empty(.clusterID)) { try Hello(decoding: noCluster) }
    var noServer = fixed
    noServer.writeBytes(bytes("0001 61 0000 0000 0000"))
    #expect(throws: HelloDefect.empty(.serverID)) { try Hello(decoding: noServer) }
    var both = fixed
    both.writeBytes(bytes("0001 61 0001 62 0000 0000"))
    #expect(try Hello(decoding: both).serverID == "b")
  }

  // R-HSK-42
  @Test("is at most 3,072 bytes")
  func encodedTooLong() throws {
    let base = try sampleHello().encodedLength
    let most = 3_072 - base - 4
    let largest = try sampleHello(extensions: [.init(type: 1, value: .init(repeating: 0, count: most))])
    #expect(largest.encodedLength == 3_072)
    #expect(throws: HelloDefect.encodedTooLong(3_073)) {
      try sampleHello(extensions: [.init(type: 1, value: .init(repeating: 0, count: most + 1))])
    }
  }

  // R-HSK-5
  @Test("keeps extensions that nobody knows, also two of a type")
  func extensions() throws {
    let hello = try sampleHello(extensions: [
      .init(type: 0, value: []), .init(type: 65_535, value: [1]), .init(type: 65_535, value: [2, 3]),
    ])
    #expect(try Hello(decoding: payload(of: hello)) == hello)
  }
}
