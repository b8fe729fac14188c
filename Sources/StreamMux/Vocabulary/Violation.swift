/// What a peer did wrong: one ``Sin`` per MUST of the protocol, with the requirement that it breaks.
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
    /// R-FRM-3
    case badPreface(BadPreface)
    /// R-HSK-31
    case handshakeTooLarge(length: Int)
    /// R-HSK-32
    case handshakeTooLate
    /// R-HSK-28, R-HSK-29
    case unexpectedInHandshake(FrameName, awaiting: FrameType)
    /// R-HSK-28
    case handshakeFrameRepeated(FrameType)
    /// R-HSK-29
    case frameBeforeOurWelcome(FrameName)
    /// R-HSK-40
    case proofOutOfTurn
    /// R-HSK-28
    case acceptedBeforeOurProof
    /// R-HSK-39
    case malformedAuthentication(method: UInt8, length: Int)
    /// R-HSK-26
    case malformedWelcome

    // One frame by itself.
    /// R-FRM-8
    case unassignedFrameType(UInt8)
    /// R-FRM-9
    case frameNotNegotiated(UInt8)
    /// R-FRM-18
    case unknownFlags(FrameType, UInt8)
    /// R-FRM-19
    case classOutOfPlace(FrameType, UInt8)
    /// R-FRM-20
    case encodingOutOfPlace(FrameType, UInt8)
    /// R-FRM-21
    case streamsWithoutClass(UInt8)
    /// R-FRM-13
    case connectionFrameOnStream(FrameType, UInt64)
    /// R-FRM-14
    case streamFrameOnConnection(FrameType)
    /// R-FRM-6
    case frameTooLarge(FrameName, length: Int, limit: Int)
    /// R-FRM-15, R-FRM-16, R-HSK-43
    case wrongPayloadLength(FrameType, length: Int, legal: ClosedRange<Int>)
    /// R-FRM-25
    case openingWithoutGroup(stream: UInt64, length: Int)
    /// R-FRM-16
    case malformedGoAway
    /// R-FRM-31
    case checksumMismatch(FrameName, stream: UInt64)
    /// R-FRM-11
    case ignorableTooLarge(UInt8, length: Int)

    // A frame where it does not belong.
    /// R-STR-2
    case openedByWrongSide(stream: UInt64)
    /// R-STR-2
    case openedOutOfOrder(stream: UInt64, expected: UInt64)
    /// R-STR-3
    case neverOpened(FrameType, stream: UInt64)
    /// R-STR-12
    case dataOnForgottenStream(stream: UInt64)
    /// R-STR-12
    case dataAfterEnd(stream: UInt64)
    /// R-STR-13
    case resetTwice(stream: UInt64)
    /// R-FLW-2
    case windowExceeded(stream: UInt64, limit: UInt64, reached: UInt64)
    /// R-FLW-19
    case streamLimitExceeded(TrafficClass, limit: UInt64)
    /// R-DRN-9
    case lastStreamGrew(from: UInt64, to: UInt64)

    // Too much of what is legal.
    /// R-LIM-3, R-LIM-9
    case budgetExceeded(AbuseBudget)
    /// R-LIM-7
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
