/// What a connection turns out to speak, by its first byte (R-CLS-1).
enum SpokenProtocol: Hashable, Sendable {
  /// The protocol of hashicorp/raft's own transport: the type of the first request.
  case classic
  /// RMUX: the first byte of its preface.
  case rmux
  /// TLS: a record of its handshake.
  case tls
  /// None that is known here.
  case unknown(UInt8)

  init(firstByte: UInt8) {
    switch firstByte {
    case 0x00...0x04: self = .classic
    case 0x16: self = .tls
    case 0xAC: self = .rmux
    default: self = .unknown(firstByte)
    }
  }
}

/// What a listener does with a connection of each kind: a pure function of how the transport is configured.
struct AdmissionRules: Hashable, Sendable {
  /// Whether RMUX is served on connections whose bytes these are.
  var servesRMUX = true
  /// Whether the old protocol is served on them.
  var servesClassic = true
  /// Whether they may turn into TLS.
  var startsTLS = false

  enum Verdict: Hashable, Sendable {
    /// RMUX takes the connection; also one that is something else, of which its handshake says what it looks like.
    case serveRMUX
    /// The old protocol takes the connection.
    case serveClassic
    /// TLS takes the connection; what comes out of it is looked at again.
    case startTLS
    /// The connection is closed without a byte, as hashicorp/raft closes one that it does not understand.
    case refuse(reason: String)
  }

  func verdict(on spoken: SpokenProtocol) -> Verdict {
    switch spoken {
    case .tls where startsTLS: .startTLS
    case .classic where servesClassic: .serveClassic
    case .classic, .tls, .rmux, .unknown:
      servesRMUX ? .serveRMUX : .refuse(reason: Self.refusal(of: spoken))
    }
  }

  private static func refusal(of spoken: SpokenProtocol) -> String {
    switch spoken {
    case .classic: "the peer speaks hashicorp/raft's own protocol, which is switched off here"
    case .rmux: "the peer speaks RMUX, which is switched off here"
    case .tls: "the peer speaks TLS; configure both ends with or both without it"
    case .unknown(let byte): "unknown rpc type \(byte)"
    }
  }
}
