import NIOCore
import StreamMux
import Testing

@Suite("The preface")
struct PrefaceReaderTests {
  // R-HSK-9
  @Test("is eight fixed bytes")
  func constant() {
    #expect(ProtocolConstants.preface == [0xAC, 0x52, 0x4D, 0x58, 0x0D, 0x0A, 0x1A, 0x0A])
    var written = ByteBuffer()
    FrameEncoder.writePreface(into: &written)
    #expect(hex(written) == "ac524d580d0a1a0a")
  }

  @Test("is read in pieces of every size, and what follows is left", arguments: 1...9)
  func pieces(size: Int) throws {
    var reader = PrefaceReader()
    let whole = buffer("AC524D580D0A1A0A 01")
    var left = ByteBuffer()
    var isComplete = false
    for var piece in cut(whole, at: Array(stride(from: size, to: whole.readableBytes, by: size))) {
      isComplete = try reader.read(&piece)
      left.writeImmutableBuffer(piece)
    }
    #expect(isComplete && reader.isComplete)
    #expect(Array(left.readableBytesView) == [0x01])
  }

  // R-FRM-4
  @Test("is refused at its first wrong byte", arguments: 0..<8)
  func firstWrongByte(index: Int) throws {
    var wrong = ProtocolConstants.preface
    wrong[index] ^= 0x80
    var reader = PrefaceReader()
    for byte in wrong[..<index] {
      var piece = ByteBuffer(bytes: [byte])
      #expect(try reader.read(&piece) == false)
    }
    var piece = ByteBuffer(bytes: [wrong[index]])
    let error = #expect(throws: Violation.self) { try reader.read(&piece) }
    guard case .badPreface(let bad) = try #require(error).sin else {
      Issue.record("another sin: \(error as Any)")
      return
    }
    #expect(bad.firstBytes == Array(wrong[...index]))
  }

  @Test(
    "of another protocol is recognised",
    arguments: [
      ("16 03 01 02 00 01 00 01 FC", BadPreface.Appearance.tls), ("16", .tls), ("15 03 03 00 02", .tls),
      ("16 04", .noise), ("47 45 54 20 2F", .http), ("50", .http), ("50 52 49 20", .http),
      ("48 54 54 50 2F 31", .http), ("47 45 58", .noise), ("00", .classicRaft(type: 0)),
      ("01 86 A4", .classicRaft(type: 1)), ("04", .classicRaft(type: 4)), ("05", .noise), ("FF", .noise),
      ("53 53 48 2D", .noise), ("AC 52 4D 58 0A 1A 0A", .damaged), ("AC 52 4D 58 0D 0D 0A", .damaged),
      ("2C 52 4D 58", .damaged), ("AC 53", .noise), ("C2 AC 52 4D 58", .damaged),
    ] as [(String, BadPreface.Appearance)])
  func appearance(hex: String, expected: BadPreface.Appearance) throws {
    var reader = PrefaceReader()
    var input = buffer(hex)
    let error = #expect(throws: Violation.self) { _ = try reader.read(&input) }
    guard case .badPreface(let bad) = try #require(error).sin else {
      Issue.record("another sin: \(error as Any)")
      return
    }
    #expect(bad.appearance == expected)
    #expect(bad.firstBytes == bytes(hex))
    #expect(error?.code == .protocolViolation)
  }

  @Test("of a stranger is kept to sixteen bytes for the log")
  func sample() throws {
    var reader = PrefaceReader()
    var input = buffer("AC 52")
    #expect(try reader.read(&input) == false)
    input = ByteBuffer(repeating: 0x2A, count: 1_000)
    let error = #expect(throws: Violation.self) { _ = try reader.read(&input) }
    guard case .badPreface(let bad) = try #require(error).sin else { return }
    #expect(bad.firstBytes == [0xAC, 0x52] + [UInt8](repeating: 0x2A, count: 14))
  }
}
