/// A frame whose every field can be wrong.
package struct ProbeFrame: Sendable, Equatable {
  package var type: UInt8
  package var flags: UInt8
  package var trafficClass: UInt8
  package var encoding: UInt8
  package var stream: UInt64
  package var payload: [UInt8]
  /// The Length of the header; `nil` for that of the payload.
  package var declaredLength: UInt32?

  package static let headerLength = 16

  package init(
    type: UInt8, flags: UInt8 = 0, trafficClass: UInt8 = 0, encoding: UInt8 = 0, stream: UInt64 = 0,
    payload: [UInt8] = [], declaredLength: UInt32? = nil
  ) {
    self.type = type
    self.flags = flags
    self.trafficClass = trafficClass
    self.encoding = encoding
    self.stream = stream
    self.payload = payload
    self.declaredLength = declaredLength
  }

  /// Header, payload and, where it is asked for, the checksum.
  package func encoded(checksummed: Bool = false) -> [UInt8] {
    var bytes: [UInt8] = [type, flags, trafficClass, encoding]
    bytes.reserveCapacity(Self.headerLength + payload.count + 4)
    bytes.append(integer: declaredLength ?? UInt32(payload.count))
    bytes.append(integer: stream)
    bytes += payload
    if checksummed, !FrameKind.isOfHandshake(type) { bytes.append(integer: Checksum.of(bytes)) }
    return bytes
  }

  /// The frame as it would be with other fields.
  package func with(_ change: (inout ProbeFrame) -> Void) -> ProbeFrame {
    var frame = self
    change(&frame)
    return frame
  }

  // MARK: What is in a frame

  package var isOpening: Bool { type == FrameKind.data && flags & DataFlag.open != 0 }
  package var isLast: Bool { type == FrameKind.data && flags & DataFlag.fin != 0 }

  /// The bytes of the stream in a DATA frame, without the group id.
  package var streamBytes: ArraySlice<UInt8> { isOpening ? payload.dropFirst(8) : payload[...] }

  /// The group id of an opening frame.
  package var group: UInt64? {
    guard isOpening else { return nil }
    var reader = ByteReader(payload)
    return reader.integer()
  }

  /// The code of RESET, STOP, GOAWAY or WELCOME.
  package var code: UInt32? {
    var reader = ByteReader(payload)
    if type == FrameKind.goAway { _ = reader.bytes(8) }
    switch type {
    case FrameKind.reset, FrameKind.stop, FrameKind.goAway, FrameKind.welcome: return reader.integer()
    default: return nil
    }
  }

  /// The number in CREDIT, STREAMS, PING and PONG, and the last id in GOAWAY.
  package var number: UInt64? {
    var reader = ByteReader(payload)
    return reader.integer()
  }

  /// The text of GOAWAY and WELCOME.
  package var text: String {
    var reader = ByteReader(payload)
    if type == FrameKind.goAway {
      _ = reader.bytes(12)
    } else {
      _ = reader.bytes(5)
      if let winner: UInt8 = reader.integer(), winner == 1 { _ = reader.bytes(16) }
    }
    guard let length: UInt16 = reader.integer(), let text = reader.bytes(Int(length)) else { return "" }
    return String(decoding: text, as: UTF8.self)
  }

  /// The winner's nonce of a refusing WELCOME.
  package var winnerNonce: [UInt8]? {
    guard type == FrameKind.welcome, payload.count > 5, payload[5] == 1 else { return nil }
    var reader = ByteReader(payload.dropFirst(6))
    return reader.bytes(16)
  }
}

extension ProbeFrame: CustomStringConvertible {
  /// The frame in a line.
  package var description: String {
    let name = FrameKind.name(type)
    switch type {
    case FrameKind.reset, FrameKind.stop:
      return "\(name) \(stream) \(code.map(CodeName.describe) ?? "without a code")"
    case FrameKind.goAway:
      let last = number == .max ? "soon" : "last \(number.map(String.init) ?? "?")"
      return "\(name) \(last) \(code.map(CodeName.describe) ?? "?") “\(printable(text))”"
    case FrameKind.welcome:
      return code == 0
        ? "\(name) accepted" : "\(name) \(code.map(CodeName.describe) ?? "?") “\(printable(text))”"
    case FrameKind.credit: return "\(name) \(stream) up to \(number ?? 0)"
    case FrameKind.streams:
      return "\(name) \(StreamClass.name(trafficClass)) up to \(number ?? 0)"
    case FrameKind.ping, FrameKind.pong: return "\(name) \(String(number ?? 0, radix: 16))"
    case FrameKind.data:
      let words = [
        (DataFlag.open, "OPEN \(StreamClass.name(trafficClass))"), (DataFlag.fin, "FIN"),
        (DataFlag.more, "MORE"),
      ].filter { flags & $0.0 != 0 }.map { " " + $0.1 }
      return "\(name) \(stream)\(words.joined()) \(streamBytes.count) bytes"
    default: return "\(name) \(payload.count) bytes"
    }
  }
}

/// Text of a peer for a terminal: no control characters, and not too much of it.
package func printable(_ text: String) -> String {
  String(
    text.prefix(512).map {
      $0.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } ? $0 : "·"
    })
}
