/// The frame types of RMUX/1, as the suite itself knows them: it shares no code with the transport that it tests.
package enum FrameKind {
  package static let hello: UInt8 = 0x01
  package static let authentication: UInt8 = 0x02
  package static let welcome: UInt8 = 0x03
  package static let data: UInt8 = 0x10
  package static let credit: UInt8 = 0x11
  package static let reset: UInt8 = 0x12
  package static let stop: UInt8 = 0x13
  package static let streams: UInt8 = 0x14
  package static let ping: UInt8 = 0x20
  package static let pong: UInt8 = 0x21
  package static let goAway: UInt8 = 0x22

  /// The name of a type for people, with its number where it has none.
  package static func name(_ type: UInt8) -> String {
    switch type {
    case hello: "HELLO"
    case authentication: "AUTH"
    case welcome: "WELCOME"
    case data: "DATA"
    case credit: "CREDIT"
    case reset: "RESET"
    case stop: "STOP"
    case streams: "STREAMS"
    case ping: "PING"
    case pong: "PONG"
    case goAway: "GOAWAY"
    case 0x80...0xFF: "ignorable(\(hexadecimal(type)))"
    default: "type \(hexadecimal(type))"
    }
  }

  /// Frames of the handshake never carry a checksum.
  package static func isOfHandshake(_ type: UInt8) -> Bool { (hello...welcome).contains(type) }

  package static func isIgnorable(_ type: UInt8) -> Bool { type >= 0x80 }
}

/// The flags of DATA.
package enum DataFlag {
  package static let open: UInt8 = 0x01
  package static let fin: UInt8 = 0x02
  package static let more: UInt8 = 0x04
}

/// The classes of streams.
package enum StreamClass {
  package static let election: UInt8 = 1
  package static let append: UInt8 = 2
  package static let snapshot: UInt8 = 3

  package static func name(_ value: UInt8) -> String {
    switch value {
    case election: "election"
    case append: "append"
    case snapshot: "snapshot"
    default: "class \(value)"
    }
  }
}

/// A byte as `0x1F`.
package func hexadecimal(_ byte: UInt8) -> String {
  let digits = String(byte, radix: 16, uppercase: true)
  return "0x" + (digits.count < 2 ? "0" : "") + digits
}

/// Bytes as `1F 00 7A`.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { hexadecimal($0).dropFirst(2) }.joined(separator: " ")
}
