extension Violation.Sin {
  /// The code that the peer is told.
  package var code: ErrorCode {
    switch self {
    case .badPreface, .unexpectedInHandshake, .handshakeFrameRepeated, .frameBeforeOurWelcome,
      .proofOutOfTurn, .acceptedBeforeOurProof, .malformedAuthentication, .malformedWelcome,
      .unassignedFrameType, .frameNotNegotiated, .unknownFlags, .classOutOfPlace, .encodingOutOfPlace,
      .streamsWithoutClass, .connectionFrameOnStream, .streamFrameOnConnection,
      .openedByWrongSide, .openedOutOfOrder, .neverOpened, .lastStreamGrew:
      .protocolViolation
    case .handshakeTooLarge: .handshakeTooLarge
    case .handshakeTooLate: .handshakeTimeout
    case .frameTooLarge, .wrongPayloadLength, .openingWithoutGroup, .malformedGoAway: .frameSize
    case .checksumMismatch: .checksumMismatch
    case .dataOnForgottenStream, .dataAfterEnd, .resetTwice: .streamState
    case .windowExceeded: .flowControl
    case .streamLimitExceeded: .streamLimit
    case .ignorableTooLarge, .budgetExceeded, .controlQueueFull: .excessiveLoad
    }
  }

  /// What is wrong, where, and what to do about it.
  package var text: String {
    switch self {
    case .badPreface(let preface): preface.description
    case .handshakeTooLarge(let length):
      """
      the handshake takes \(length) bytes, \(ProtocolConstants.handshakeLimit) are allowed; \
      shorten identifiers or extensions
      """
    case .handshakeTooLate:
      "the handshake was not complete in time; look for an overloaded peer or a proxy that holds bytes back"
    case .unexpectedInHandshake(let frame, let awaited):
      "\(frame) during the handshake, where \(awaited.name) was due; the peer's order is wrong"
    case .handshakeFrameRepeated(let type):
      "\(type.name) came again; it is sent once, and the peer shall not repeat it"
    case .frameBeforeOurWelcome(let frame):
      "\(frame) before our WELCOME; the peer shall wait for it"
    case .proofOutOfTurn:
      "the acceptor sent AUTH before the dialler's proof; with a shared key the dialler proves first"
    case .acceptedBeforeOurProof:
      "the dialler accepted before our AUTH; it shall check our proof first"
    case .malformedAuthentication(let method, let length):
      "AUTH with method \(method) carries a proof of \(length) bytes; that method has none"
    case .malformedWelcome:
      "the fields of WELCOME do not fit its length; the peer shall encode code, flags, winner and text"
    case .unassignedFrameType(let type):
      "frame of type \(hexadecimal(type)), which has no meaning; the peer may speak another version"
    case .frameNotNegotiated(let type):
      "frame of type \(hexadecimal(type)), which needs a feature that was not agreed on"
    case .unknownFlags(let type, let flags):
      "\(type.name) with flags \(hexadecimal(flags)); the peer shall send the others as 0"
    case .classOutOfPlace(let type, let value):
      "\(type.name) with class \(value); only an opening DATA and STREAMS have one, it shall be 0"
    case .encodingOutOfPlace(let type, let value):
      "\(type.name) with encoding \(value); only an opening DATA has one, it shall be 0"
    case .streamsWithoutClass(let value):
      "STREAMS for class \(value); 1, 2 or 3 are due"
    case .connectionFrameOnStream(let type, let stream):
      "\(type.name) on stream \(stream); it is about the connection, the stream shall be 0"
    case .streamFrameOnConnection(let type):
      "\(type.name) on stream 0; it is about one stream, its id is due"
    case .frameTooLarge(let frame, let length, let limit):
      "\(frame) of \(length) bytes; our HELLO allows \(limit), the peer shall cut smaller frames"
    case .wrongPayloadLength(let type, let length, let legal):
      legal.count == 1
        ? "\(type.name) of \(length) bytes; exactly \(legal.lowerBound) are due"
        : "\(type.name) of \(length) bytes; \(legal.lowerBound) to \(legal.upperBound) are due"
    case .openingWithoutGroup(let stream, let length):
      "DATA that opens stream \(stream) has \(length) bytes; the group id in front takes 8"
    case .malformedGoAway:
      "the text of GOAWAY does not fit its length; the peer shall encode last id, code and text"
    case .checksumMismatch(let frame, let stream):
      """
      the checksum of \(frame) on stream \(stream) is wrong: bytes changed on the way; look for a faulty \
      network card, proxy or memory
      """
    case .ignorableTooLarge(let type, let length):
      """
      frame of type \(hexadecimal(type)) with \(length) bytes to ignore; \
      \(ProtocolConstants.ignorableLimit) are allowed
      """
    case .openedByWrongSide(let stream):
      "stream \(stream) opened by the peer; the dialler has the odd ids and the acceptor the even ones"
    case .openedOutOfOrder(let stream, let expected):
      "stream \(stream) opened where \(expected) was next; the peer shall open without gaps"
    case .neverOpened(let type, let stream):
      "\(type.name) on stream \(stream), which was never opened"
    case .dataOnForgottenStream(let stream):
      "DATA on stream \(stream), which has ended in both directions"
    case .dataAfterEnd(let stream):
      "DATA on stream \(stream) after its FIN or RESET"
    case .resetTwice(let stream):
      "RESET on stream \(stream) for the second time"
    case .windowExceeded(let stream, let limit, let reached):
      "stream \(stream) reaches byte \(reached), its credit ends at \(limit); the peer shall wait for CREDIT"
    case .streamLimitExceeded(let trafficClass, let limit):
      "more than \(limit) \(trafficClass) streams; the peer shall wait for STREAMS"
    case .lastStreamGrew(let from, let to):
      "GOAWAY raises its last stream from \(from) to \(to); it may only fall"
    case .budgetExceeded(let budget):
      "too many \(budget.subject) in too short a time; the peer shall send fewer"
    case .controlQueueFull(let limit):
      "the peer provokes more than \(limit) answers and does not read them; it shall read"
    }
  }
}
