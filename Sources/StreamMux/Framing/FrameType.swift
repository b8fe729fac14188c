/// The frames of version 1. The value is the first byte of the header.
package enum FrameType: UInt8, CaseIterable, Hashable, Sendable {
  case hello = 0x01
  case authentication = 0x02
  case welcome = 0x03
  case data = 0x10
  case credit = 0x11
  case reset = 0x12
  case stop = 0x13
  case streams = 0x14
  case ping = 0x20
  case pong = 0x21
  case goAway = 0x22

  /// What any type byte means.
  package enum Meaning: Equatable, Sendable {
    case known(FrameType)
    /// 0x80...0xFF: skipped, within a budget.
    case ignorable
    /// 0x40...0x7F: legal only where both ends agreed on it; nothing in version 1 does.
    case needsNegotiation
    case unassigned
  }

  package static func meaning(of byte: UInt8) -> Meaning {
    if let type = FrameType(rawValue: byte) { return .known(type) }
    return switch byte {
    case 0x80...: .ignorable
    case 0x40...0x7F: .needsNegotiation
    default: .unassigned
    }
  }

  /// Whether the frame belongs to one stream; else it is about the connection and its stream id is 0.
  package var isOnStream: Bool {
    switch self {
    case .data, .credit, .reset, .stop: true
    case .hello, .authentication, .welcome, .streams, .ping, .pong, .goAway: false
    }
  }

  /// Whether the frame belongs to the handshake.
  package var isHandshake: Bool {
    switch self {
    case .hello, .authentication, .welcome: true
    case .data, .credit, .reset, .stop, .streams, .ping, .pong, .goAway: false
    }
  }

  /// The payload lengths that are legal, bytes, before any announced limit.
  package var payloadLengths: ClosedRange<Int> {
    switch self {
    case .hello: 0...ProtocolConstants.helloLimit
    case .authentication: 1...1 + ProtocolConstants.proofLimit
    case .welcome: 8...24 + ProtocolConstants.textLimit
    case .data: 0...ProtocolConstants.largestFramePayload
    case .credit, .streams, .ping, .pong: 8...8
    case .reset, .stop: 4...4
    case .goAway: 14...14 + ProtocolConstants.textLimit
    }
  }

  /// The name in the specification.
  package var name: String {
    switch self {
    case .hello: "HELLO"
    case .authentication: "AUTH"
    case .welcome: "WELCOME"
    case .data: "DATA"
    case .credit: "CREDIT"
    case .reset: "RESET"
    case .stop: "STOP"
    case .streams: "STREAMS"
    case .ping: "PING"
    case .pong: "PONG"
    case .goAway: "GOAWAY"
    }
  }
}
