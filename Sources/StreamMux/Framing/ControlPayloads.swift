internal import NIOCore

extension Welcome {
  /// Appends the payload of the WELCOME frame: code, flags, winner, text.
  func encode(into buffer: inout ByteBuffer) {
    switch self {
    case .accepted(let grantsRoute):
      buffer.writeMultipleIntegers(
        ErrorCode.none.rawValue, grantsRoute ? Self.routeFlag : 0, UInt8(0), UInt16(0))
    case .refused(let refusal):
      precondition(refusal.code != .none, "a refusal has a code")
      buffer.writeMultipleIntegers(refusal.code.rawValue, UInt8(0), UInt8(refusal.winner == nil ? 0 : 1))
      if let winner = refusal.winner { buffer.writeNonce(winner) }
      buffer.writeText(refusal.text)
    }
  }

  /// Reads the payload of a WELCOME frame, all of it.
  init(decoding payload: ByteBuffer) throws(Violation) {
    var rest = payload
    guard let (code, flags, hasWinner) = rest.readMultipleIntegers(as: (UInt32, UInt8, UInt8).self),
      hasWinner <= 1
    else { throw Violation(.malformedWelcome) }
    var winner: Nonce?
    if hasWinner == 1 {
      winner = rest.readNonce()
      guard winner != nil else { throw Violation(.malformedWelcome) }
    }
    guard let text = rest.readText() else { throw Violation(.malformedWelcome) }
    self =
      code == ErrorCode.none.rawValue
      ? .accepted(grantsRoute: flags & Self.routeFlag != 0)
      : .refused(Refusal(code: ErrorCode(rawValue: code), text: text, winner: winner))
  }
}

extension GoAway {
  /// Appends the payload of the GOAWAY frame: last id, code, text.
  func encode(into buffer: inout ByteBuffer) {
    buffer.writeMultipleIntegers(lastStream, code.rawValue)
    buffer.writeText(text)
  }

  /// Reads the payload of a GOAWAY frame, all of it.
  init(decoding payload: ByteBuffer) throws(Violation) {
    var rest = payload
    guard let (last, code) = rest.readMultipleIntegers(as: (UInt64, UInt32).self),
      let text = rest.readText()
    else { throw Violation(.malformedGoAway) }
    self.init(lastStream: last, code: ErrorCode(rawValue: code), text: text)
  }
}

extension Authentication {
  /// Reads the payload of an AUTH frame, all of it.
  init(decoding payload: ByteBuffer) throws(Violation) {
    var rest = payload
    guard let method = rest.readInteger(as: UInt8.self),
      let proof = rest.readBytes(length: rest.readableBytes)
    else { throw Violation(.malformedAuthentication(method: 0, length: 0)) }
    let hasNoProof =
      method == AuthenticationMethod.none.rawValue || method == AuthenticationMethod.tls.rawValue
    guard proof.isEmpty || !hasNoProof else {
      throw Violation(.malformedAuthentication(method: method, length: proof.count))
    }
    self.init(method: method, proof: proof)
  }
}

extension Frame {
  /// Reads the payload of a frame whose header was found legal, all of it. DATA has no payload of its own.
  init?(_ header: FrameHeader, type: FrameType, payload: ByteBuffer) throws(Violation) {
    switch type {
    case .data: return nil
    case .hello: self = .hello(payload)
    case .authentication: self = .authentication(try Authentication(decoding: payload))
    case .welcome: self = .welcome(try Welcome(decoding: payload))
    case .goAway: self = .goAway(try GoAway(decoding: payload))
    case .reset, .stop:
      guard let code = payload.getInteger(at: payload.readerIndex, as: UInt32.self) else { return nil }
      self =
        type == .reset
        ? .reset(stream: header.stream, code: ErrorCode(rawValue: code))
        : .stop(stream: header.stream, code: ErrorCode(rawValue: code))
    case .credit, .streams, .ping, .pong:
      guard let word = payload.getInteger(at: payload.readerIndex, as: UInt64.self) else { return nil }
      switch type {
      case .credit: self = .credit(stream: header.stream, limit: word)
      case .ping: self = .ping(word)
      case .pong: self = .pong(word)
      default:
        guard let trafficClass = TrafficClass(rawValue: header.trafficClass) else { return nil }
        self = .streams(trafficClass, limit: word)
      }
    }
  }
}
