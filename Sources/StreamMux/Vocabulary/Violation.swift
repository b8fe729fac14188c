/// What a peer did wrong: one ``Sin`` per MUST of the protocol.
package struct Violation: Error, Equatable, Sendable {
  package let sin: Sin

  package init(_ sin: Sin) {
    self.sin = sin
  }

  /// The code for GOAWAY, or for a refusing WELCOME while the handshake runs.
  package var code: ErrorCode { sin.code }

  /// What is wrong, where, and what to do about it. Fits into GOAWAY.
  package var text: String { sin.text }
}

extension Violation: CustomStringConvertible {
  package var description: String { "\(code): \(text)" }
}

extension Violation {
  package enum Sin: Equatable, Sendable {
    // Preface and handshake.
    case badPreface(BadPreface)
    case handshakeTooLarge(length: Int)
    case handshakeTooLate
    case unexpectedInHandshake(FrameName, awaiting: FrameType)
    case handshakeFrameRepeated(FrameType)
    case frameBeforeOurWelcome(FrameName)
    case proofOutOfTurn
    case acceptedBeforeOurProof
    case malformedAuthentication(method: UInt8, length: Int)
    case malformedWelcome

    // One frame by itself.
    case unassignedFrameType(UInt8)
    case frameNotNegotiated(UInt8)
    case unknownFlags(FrameType, UInt8)
    case classOutOfPlace(FrameType, UInt8)
    case encodingOutOfPlace(FrameType, UInt8)
    case streamsWithoutClass(UInt8)
    case connectionFrameOnStream(FrameType, UInt64)
    case streamFrameOnConnection(FrameType)
    case frameTooLarge(FrameName, length: Int, limit: Int)
    case wrongPayloadLength(FrameType, length: Int, legal: ClosedRange<Int>)
    case openingWithoutGroup(stream: UInt64, length: Int)
    case malformedGoAway
    case checksumMismatch(FrameName, stream: UInt64)
    case ignorableTooLarge(UInt8, length: Int)

    // A frame where it does not belong.
    case openedByWrongSide(stream: UInt64)
    case openedOutOfOrder(stream: UInt64, expected: UInt64)
    case neverOpened(FrameType, stream: UInt64)
    case dataOnForgottenStream(stream: UInt64)
    case dataAfterEnd(stream: UInt64)
    case resetTwice(stream: UInt64)
    case windowExceeded(stream: UInt64, limit: UInt64, reached: UInt64)
    case streamLimitExceeded(TrafficClass, limit: UInt64)
    case lastStreamGrew(from: UInt64, to: UInt64)

    // Too much of what is legal.
    case budgetExceeded(AbuseBudget)
    case controlQueueFull(limit: Int)
  }

  /// A frame's type for a text, known or not.
  package struct FrameName: Hashable, Sendable, CustomStringConvertible {
    package let type: UInt8

    package init(_ type: UInt8) {
      self.type = type
    }

    package init(_ type: FrameType) {
      self.init(type.rawValue)
    }

    package var description: String {
      FrameType(rawValue: type)?.name ?? "frame of type \(hexadecimal(type))"
    }
  }
}

/// 0x and two digits.
func hexadecimal(_ byte: UInt8) -> String {
  (byte < 0x10 ? "0x0" : "0x") + String(byte, radix: 16, uppercase: true)
}
