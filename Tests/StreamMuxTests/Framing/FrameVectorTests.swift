import NIOCore
import StreamMux
import Testing

@Suite("The vectors of Spec/vectors/frames.json")
struct FrameVectorTests {
  @Test("valid frames say what the vector says, whole and byte by byte")
  func valid() throws {
    let vectors = try FrameVectors.load().valid
    #expect(vectors.count >= 60)
    for vector in vectors {
      let expected = try vector.frames.map { try $0.found() }
      let whole = buffer(vector.hex)
      for pieces in [[whole], cut(whole, at: Array(1..<whole.readableBytes))] {
        let got = decode(pieces, isChecksummed: vector.crc32)
        #expect(got.violation == nil, "\(vector.name)")
        #expect(got.found == expected, "\(vector.name)")
      }
    }
  }

  @Test("valid frames are written as these bytes")
  func written() throws {
    for vector in try FrameVectors.load().valid {
      let encoder = FrameEncoder(isChecksummed: vector.crc32)
      var written = ByteBuffer()
      var isOurs = true
      for fields in vector.frames {
        switch try fields.found() {
        case .frame(.welcome(.accepted)) where fields.text != "": isOurs = false
        case .frame(let frame): encoder.write(frame, into: &written)
        case .data(let header, let bytes):
          encoder.write(header, payload: ByteBuffer(bytes: bytes), into: &written)
        case .ignorable(let type, let length):
          // We leave the other fields of such a frame 0.
          if vector.name.contains("everything set") { isOurs = false }
          encoder.writeIgnorable(type: type, payload: [UInt8](repeating: 0, count: length), into: &written)
        }
      }
      if isOurs { #expect(hex(written) == vector.hex, "\(vector.name)") }
    }
  }

  @Test("each HELLO is read as the vector says")
  func hellos() throws {
    var count = 0
    for vector in try FrameVectors.load().valid {
      for fields in vector.frames where fields.type == "HELLO" {
        let payload = ByteBuffer(bytes: bytes(vector.hex).dropFirst(ProtocolConstants.headerLength))
        #expect(try Hello(decoding: payload) == fields.hello(), "\(vector.name)")
        count += 1
      }
    }
    #expect(count >= 5)
  }

  @Test("invalid frames end with their code, whole and byte by byte")
  func invalid() throws {
    let vectors = try FrameVectors.load().invalid
    #expect(vectors.count >= 100)
    for vector in vectors {
      let whole = buffer(vector.hex)
      for pieces in [[whole], cut(whole, at: Array(1..<whole.readableBytes))] {
        let got = decode(
          pieces, isChecksummed: vector.crc32 ?? false,
          maximumFramePayload: vector.maximumFramePayload ?? ProtocolConstants.largestFramePayload,
          isHandshaking: vector.handshake ?? false)
        guard vector.violation != "malformedHello" else {
          checkMalformedHello(got.found, vector.name)
          #expect(vector.code == ErrorCode.malformedHello.rawValue)
          continue
        }
        #expect(got.found == [], "\(vector.name)")
        #expect(got.violation?.code.rawValue == vector.code, "\(vector.name)")
        let name = got.violation.map { "\($0.sin)".prefix { $0 != "(" } }
        #expect(name.map(String.init) == vector.violation, "\(vector.name)")
      }
    }
  }

  private func checkMalformedHello(_ found: [Found], _ name: String) {
    guard case .frame(.hello(let payload)) = found.first, found.count == 1 else {
      Issue.record("\(name): no HELLO but \(found)")
      return
    }
    #expect(throws: HelloDefect.self, "\(name)") { try Hello(decoding: payload) }
  }
}
