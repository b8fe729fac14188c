extension WireReader {
  /// Reads a timestamp in either of the formats that Go has written, whatever the profile; nil is the zero time.
  ///
  /// Go's binary form comes in the shortest string format only. MessagePack's timestamp comes as its extension or
  /// as the bare payload of it in any string or binary format (R-PAY-34, R-PAY-35).
  package mutating func readTimestamp() throws(WireError) -> LogTimestamp {
    let lead = try readByte()
    switch LeadByte(lead) {
    case .complete where lead == 0xc0: return .zero
    case .string(let length) where length == 15 || length == 16: return try binaryTime(length)
    case .string(let length): return try compactTime(length)
    case .stringLength(let width): return try compactTime(try readLength(bytes: width))
    case .extended(let length) where length == 4 || length == 8:
      try expectTimestampType()
      return try compactTime(length)
    case .extendedLength(let width) where width == 1:
      guard try readByte() == 12 else { throw error(.malformed, "an extension that is no time") }
      try expectTimestampType()
      return try compactTime(12)
    default: throw wrongType(lead, "a time")
    }
  }

  private mutating func expectTimestampType() throws(WireError) {
    guard try readByte() == 0xff else { throw error(.malformed, "an extension that is no time") }
  }

  /// The form of Go's `time.Time` in bytes.
  private mutating func binaryTime(_ length: Int) throws(WireError) -> LogTimestamp {
    let version = try readByte()
    guard version == 1 && length == 15 || version == 2 && length == 16 else {
      throw error(.malformed, "a time of version \(version) and \(length) bytes")
    }
    let seconds = try readInteger(Int64.self)
    // As Go keeps them: 30 bits.
    let nanoseconds = try readInteger(Int32.self) & (LogTimestamp.nanosecondBound - 1)
    var offset = Int32(try readInteger(Int16.self)) * 60
    if version == 2 { offset += Int32(try readInteger(Int8.self)) }
    return LogTimestamp(
      unixSeconds: seconds &+ LogTimestamp.zero.unixSeconds,
      nanoseconds: nanoseconds,
      location: offset == -60 ? .utc : .offset(seconds: offset)
    )
  }

  /// The payload of MessagePack's timestamp; nanoseconds beyond a second carry over.
  private mutating func compactTime(_ length: Int) throws(WireError) -> LogTimestamp {
    let seconds: Int64
    let nanoseconds: UInt32
    switch length {
    case 4:
      seconds = Int64(try readInteger(UInt32.self))
      nanoseconds = 0
    case 8:
      let both = try readInteger(UInt64.self)
      seconds = Int64(both & 0x3_ffff_ffff)
      nanoseconds = UInt32(both >> 34)
    case 12:
      nanoseconds = try readInteger(UInt32.self)
      seconds = try readInteger(Int64.self)
    default: throw error(.malformed, "a time of \(length) bytes")
    }
    return LogTimestamp(
      unixSeconds: seconds &+ Int64(nanoseconds / 1_000_000_000),
      nanoseconds: Int32(nanoseconds % 1_000_000_000)
    )
  }
}
