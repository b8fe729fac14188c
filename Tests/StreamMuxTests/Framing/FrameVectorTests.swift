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

  /// What a right peer sends in front of a place.
  private func lead(to place: String, isChecksummed: Bool) throws -> [UInt8] {
    var bytes = ByteBuffer(bytes: ProtocolConstants.preface)
    let encoder = FrameEncoder()
    let hello = try Hello(
      features: isChecksummed ? .crc32 : [], methods: .none, incarnation: 9, nonce: Nonce(high: 2, low: 2),
      clusterID: "blue", serverID: "peer", targetServerID: "self")
    let steps: [(String, Frame)] = [
      ("hello", .hello(payload(of: hello))), ("auth", .authentication(Authentication(.none))),
      ("welcome", .welcome(.accepted(grantsRoute: false))),
    ]
    for (step, frame) in steps {
      if step == place { break }
      encoder.write(frame, into: &bytes)
    }
    return Array(buffer: bytes)
  }

  @Test(
    "invalid frames are answered as the vector says, and nothing goes out behind that",
    arguments: [true, false])
  func answers(inPieces: Bool) throws {
    for vector in try FrameVectors.load().invalid {
      let isChecksummed = vector.crc32 ?? false
      var engine = try ScriptedEngine(
        role: .acceptor, features: isChecksummed ? .crc32 : [], isChecksummed: isChecksummed,
        maximumFramePayload: vector.maximumFramePayload ?? ProtocolConstants.largestFramePayload)
      engine.receive(try lead(to: vector.place, isChecksummed: isChecksummed))
      #expect(!engine.hasClosedOutput, "\(vector.name)")
      let frame = bytes(vector.hex)
      for piece in inPieces ? frame.map({ [$0] }) : [frame] { engine.receive(piece) }
      #expect(engine.hasClosedOutput, "\(vector.name)")
      let answer = try #require(vector.out.first, "\(vector.name)")
      #expect(vector.out.count == 1 && (answer.goAway ?? answer.refusal) == vector.code, "\(vector.name)")
      let last = try #require(engine.takeFrames().last, "\(vector.name)")
      #expect(hex(try withoutText(last, isChecksummed)) == answer.hex, "\(vector.name)")
      engine.receive(bytes("20000000000000080000000000000000") + bytes("0000000000000001"))
      #expect(engine.takeFrames() == [], "\(vector.name)")
    }
  }

  /// A WELCOME or GOAWAY as it would be with an empty text.
  private func withoutText(_ frame: [UInt8], _ isChecksummed: Bool) throws -> [UInt8] {
    var decoder = FrameDecoder(maximumFramePayload: ProtocolConstants.largestFramePayload)
    if isChecksummed { decoder.endHandshake(isChecksummed: true) }
    decoder.append(ByteBuffer(bytes: frame))
    var written = ByteBuffer()
    switch try decoder.next() {
    case .frame(.welcome(.refused(let refusal))):
      FrameEncoder().write(.welcome(.refused(Refusal(code: refusal.code, text: ""))), into: &written)
    case .frame(.goAway(let goAway)):
      FrameEncoder(isChecksummed: isChecksummed).write(
        .goAway(GoAway(lastStream: goAway.lastStream, code: goAway.code)), into: &written)
    default:
      Issue.record("\(hex(frame)) ends nothing")
    }
    return Array(buffer: written)
  }

  private func checkMalformedHello(_ found: [Found], _ name: String) {
    guard case .frame(.hello(let payload)) = found.first, found.count == 1 else {
      Issue.record("\(name): no HELLO but \(found)")
      return
    }
    #expect(throws: HelloDefect.self, "\(name)") { try Hello(decoding: payload) }
  }
}
