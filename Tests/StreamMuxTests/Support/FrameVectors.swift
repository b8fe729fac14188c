import Foundation
import NIOCore
import StreamMux

/// `Spec/vectors/frames.json`.
struct FrameVectors: Decodable {
  struct Valid: Decodable {
    let name: String
    let crc32: Bool
    let frames: [Fields]
    let hex: String
  }

  struct Invalid: Decodable {
    let name: String
    let crc32: Bool?
    let handshake: Bool?
    let maximumFramePayload: Int?
    let code: UInt32
    let violation: String
    let hex: String
    /// Where in the life of an acceptor's connection the frame comes.
    let place: String
    let out: [Answer]
  }

  /// The frame that answers, with an empty text.
  struct Answer: Decodable {
    let goAway: UInt32?
    let last: String?
    let refusal: UInt32?
    let hex: String
  }

  /// One frame in words; which fields there are depends on the type.
  struct Fields: Decodable {
    struct Opening: Decodable {
      let `class`: UInt8
      let encoding: UInt8
      let group: String
    }

    struct Extension: Decodable {
      let type: UInt16
      let value: String
    }

    struct Header: Decodable {
      let type: UInt8
    }

    let type: String
    let stream: String?
    let open: Opening?
    let fin: Bool?
    let more: Bool?
    let bytes: String?
    let limit: String?
    let code: UInt32?
    let `class`: UInt8?
    let opaque: String?
    let lastStream: String?
    let text: String?
    let method: UInt8?
    let proof: String?
    let route: Bool?
    let winner: String?
    let header: Header?
    let length: Int?
    let minimumVersion: UInt16?
    let maximumVersion: UInt16?
    let features: String?
    let methods: UInt32?
    let maximumFramePayload: UInt32?
    let initialWindow: UInt32?
    let streamCredit: [UInt32]?
    let incarnation: String?
    let nonce: String?
    let clusterID: String?
    let serverID: String?
    let address: String?
    let targetServerID: String?
    let extensions: [Extension]?
  }

  let valid: [Valid]
  let invalid: [Invalid]

  static func load() throws -> FrameVectors {
    let file = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Spec/vectors/frames.json")
    return try JSONDecoder().decode(FrameVectors.self, from: Data(contentsOf: file))
  }
}

/// A field that a vector of this type must have and does not, or that is no number.
struct MissingField: Error {
  let type: String
  let field: String
}

extension FrameVectors.Fields {
  /// What a decoder is to find.
  func found() throws -> Found {
    switch type {
    case "HELLO": .frame(.hello(payload(of: try hello())))
    case "AUTH":
      .frame(
        .authentication(
          Authentication(method: try need(method), proof: StreamMuxTests.bytes(try need(proof)))))
    case "WELCOME": .frame(.welcome(try welcome()))
    case "DATA": try data()
    case "CREDIT": .frame(.credit(stream: try number(stream), limit: try number(limit)))
    case "RESET": .frame(.reset(stream: try number(stream), code: ErrorCode(rawValue: try need(code))))
    case "STOP": .frame(.stop(stream: try number(stream), code: ErrorCode(rawValue: try need(code))))
    case "STREAMS":
      .frame(.streams(try need(TrafficClass(rawValue: try need(self.class))), limit: try number(limit)))
    case "PING": .frame(.ping(try number(hexadecimal: opaque)))
    case "PONG": .frame(.pong(try number(hexadecimal: opaque)))
    case "GOAWAY":
      .frame(
        .goAway(
          GoAway(
            lastStream: try number(lastStream), code: ErrorCode(rawValue: try need(code)),
            text: try need(text))))
    case "ignorable": .ignorable(try need(header).type, try need(length))
    default: throw MissingField(type: type, field: "type")
    }
  }

  func hello() throws -> Hello {
    let credit = try need(streamCredit)
    return try Hello(
      minimumVersion: need(minimumVersion), maximumVersion: need(maximumVersion),
      features: Features(rawValue: number(features)), methods: AuthenticationMethods(rawValue: need(methods)),
      maximumFramePayload: need(maximumFramePayload), initialWindow: need(initialWindow),
      streamCredit: StreamCredit(election: credit[0], append: credit[1], snapshot: credit[2]),
      incarnation: number(incarnation), nonce: nonce(need(nonce)), clusterID: need(clusterID),
      serverID: need(serverID), address: need(address), targetServerID: need(targetServerID),
      extensions: need(extensions).map { .init(type: $0.type, value: StreamMuxTests.bytes($0.value)) })
  }

  private func welcome() throws -> Welcome {
    guard try need(code) != 0 else { return .accepted(grantsRoute: try need(route)) }
    let winner = try need(winner)
    return .refused(
      Refusal(
        code: ErrorCode(rawValue: try need(code)), text: try need(text),
        winner: winner.isEmpty ? nil : try nonce(winner)))
  }

  private func data() throws -> Found {
    let payload = StreamMuxTests.bytes(try need(bytes))
    let opening = try open.map {
      DataHeader.Opening(trafficClass: $0.class, encoding: $0.encoding, group: try number($0.group))
    }
    return .data(
      DataHeader(
        stream: try number(stream), opening: opening, isLast: try need(fin), hasMore: try need(more),
        byteCount: payload.count),
      payload)
  }

  private func nonce(_ digits: String) throws -> Nonce {
    var buffer = ByteBuffer(bytes: StreamMuxTests.bytes(digits))
    return try need(buffer.readNonce())
  }

  private func number(_ field: String?) throws -> UInt64 { try need(UInt64(try need(field))) }

  private func number(hexadecimal field: String?) throws -> UInt64 {
    try need(UInt64(try need(field), radix: 16))
  }

  private func need<Value>(_ field: Value?, _ name: String = #function) throws -> Value {
    guard let field else { throw MissingField(type: type, field: name) }
    return field
  }
}
