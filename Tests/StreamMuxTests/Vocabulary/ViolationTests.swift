import StreamMux
import Testing

@Suite("Violations")
struct ViolationTests {
  static let all: [(Violation.Sin, ErrorCode)] = [
    (.badPreface(BadPreface(firstBytes: [0x16, 3])), .protocolViolation),
    (.badPreface(BadPreface(firstBytes: [2])), .protocolViolation),
    (.badPreface(BadPreface(firstBytes: Array("GET /".utf8))), .protocolViolation),
    (.badPreface(BadPreface(firstBytes: [0x2C])), .protocolViolation),
    (.badPreface(BadPreface(firstBytes: [0xFF])), .protocolViolation),
    (.handshakeTooLarge(length: 5_000), .handshakeTooLarge), (.handshakeTooLate, .handshakeTimeout),
    (.unexpectedInHandshake(.init(.data), awaiting: .hello), .protocolViolation),
    (.handshakeFrameRepeated(.hello), .protocolViolation),
    (.frameBeforeOurWelcome(.init(0x91)), .protocolViolation), (.proofOutOfTurn, .protocolViolation),
    (.acceptedBeforeOurProof, .protocolViolation),
    (.malformedAuthentication(method: 0, length: 3), .protocolViolation),
    (.malformedWelcome, .protocolViolation), (.unassignedFrameType(0), .protocolViolation),
    (.frameNotNegotiated(0x40), .protocolViolation), (.unknownFlags(.data, 8), .protocolViolation),
    (.classOutOfPlace(.ping, 1), .protocolViolation), (.encodingOutOfPlace(.ping, 1), .protocolViolation),
    (.streamsWithoutClass(0), .protocolViolation), (.connectionFrameOnStream(.ping, 1), .protocolViolation),
    (.streamFrameOnConnection(.data), .protocolViolation),
    (.frameTooLarge(.init(.data), length: 2, limit: 1), .frameSize),
    (.wrongPayloadLength(.ping, length: 1, legal: 8...8), .frameSize),
    (.wrongPayloadLength(.goAway, length: 1, legal: 14...526), .frameSize),
    (.openingWithoutGroup(stream: 1, length: 2), .frameSize), (.malformedGoAway, .frameSize),
    (.checksumMismatch(.init(.data), stream: 1), .checksumMismatch),
    (.ignorableTooLarge(0x80, length: 5_000), .excessiveLoad),
    (.openedByWrongSide(stream: 2), .protocolViolation),
    (.openedOutOfOrder(stream: 7, expected: 5), .protocolViolation),
    (.neverOpened(.reset, stream: 9), .protocolViolation),
    (.dataOnForgottenStream(stream: 1), .streamState), (.dataAfterEnd(stream: 1), .streamState),
    (.resetTwice(stream: 1), .streamState),
    (.windowExceeded(stream: 1, limit: 10, reached: 11), .flowControl),
    (.streamLimitExceeded(.append, limit: 256), .streamLimit),
    (.lastStreamGrew(from: 4, to: 6), .protocolViolation), (.budgetExceeded(.pings), .excessiveLoad),
    (.controlQueueFull(limit: 4_096), .excessiveLoad),
  ]

  @Test("each has its code, and a text that fits a frame and is its own")
  func codesAndTexts() {
    var texts: Set<String> = []
    for (sin, code) in Self.all {
      let violation = Violation(sin)
      #expect(violation.code == code, "\(sin)")
      #expect(violation.text.utf8.count <= ProtocolConstants.textLimit)
      #expect(violation.text.utf8.count > 10)
      #expect(!violation.text.contains("\n"))
      #expect(violation.description == "\(code): \(violation.text)")
      texts.insert(violation.text)
    }
    #expect(texts.count == Self.all.count)
  }

  @Test("budgets are named in their text", arguments: AbuseBudget.allCases)
  func budgets(budget: AbuseBudget) {
    #expect(Violation(.budgetExceeded(budget)).text.contains(budget.subject))
  }
}
