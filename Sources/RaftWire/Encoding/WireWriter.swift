internal import NIOCore

/// Writes MessagePack as the Go codecs do: the shortest format of the old family, no `str8`, no `bin`
/// (R-PAY-7 to R-PAY-14).
package struct WireWriter<Sink: ByteSink> {
  let profile: WireProfile
  private(set) var sink: Sink

  // MARK: Objects

  /// Starts the map of a message: its own fields and what the profile's header has.
  mutating func beginMessage(ownFields: UInt8) {
    beginMap(fields: ownFields + (profile.hasIDAndAddress ? 3 : 1))
  }

  /// Starts a map of fewer than 16 fields.
  mutating func beginMap(fields: UInt8) {
    precondition(fields < 16)
    sink.put(0x80 | fields)
  }

  mutating func beginArray(count: Int) {
    switch count {
    case ..<16: sink.put(0x90 | UInt8(count))
    case ..<65_536:
      sink.put(0xdc)
      sink.put(bigEndian: UInt16(count))
    default:
      sink.put(0xdd)
      sink.put(bigEndian: UInt32(count))
    }
  }

  @inline(__always)
  mutating func key(_ field: WireField) {
    let name = field.name
    sink.put(0xa0 | UInt8(name.utf8CodeUnitCount))
    unsafe sink.put(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
  }

  // MARK: Header fields, which stand among the message's own

  mutating func address(of header: RPCHeader) {
    if profile.hasIDAndAddress { field(.address, bytes: header.address) }
  }

  mutating func id(of header: RPCHeader) {
    if profile.hasIDAndAddress { field(.id, bytes: header.id) }
  }

  mutating func protocolVersion(of header: RPCHeader) {
    field(.protocolVersion, signed: header.protocolVersion)
  }

  // MARK: Fields

  @inline(__always)
  mutating func field(_ field: WireField, unsigned value: UInt64) {
    key(field)
    unsigned(value)
  }

  @inline(__always)
  mutating func field(_ field: WireField, signed value: Int64) {
    key(field)
    signed(value)
  }

  @inline(__always)
  mutating func field(_ field: WireField, boolean value: Bool) {
    key(field)
    sink.put(value ? 0xc3 : 0xc2)
  }

  @inline(__always)
  mutating func field(_ field: WireField, bytes value: ByteBuffer?) {
    key(field)
    bytes(value)
  }

  // MARK: Values

  mutating func null() {
    sink.put(0xc0)
  }

  mutating func byte(_ value: UInt8) {
    sink.put(value)
  }

  @inline(__always)
  mutating func unsigned(_ value: UInt64) {
    switch value {
    case ..<0x80: sink.put(UInt8(value))
    case ..<0x100:
      sink.put(0xcc)
      sink.put(UInt8(value))
    case ..<0x1_0000:
      sink.put(0xcd)
      sink.put(bigEndian: UInt16(value))
    case ..<0x1_0000_0000:
      sink.put(0xce)
      sink.put(bigEndian: UInt32(value))
    default:
      sink.put(0xcf)
      sink.put(bigEndian: value)
    }
  }

  mutating func signed(_ value: Int64) {
    if value >= 0 && profile.signedIntegerStyle == .unsignedIfPositive {
      unsigned(UInt64(value))
    } else if (-32...127).contains(value) {
      sink.put(UInt8(truncatingIfNeeded: value))
    } else if let value = Int8(exactly: value) {
      sink.put(0xd0)
      sink.put(bigEndian: value)
    } else if let value = Int16(exactly: value) {
      sink.put(0xd1)
      sink.put(bigEndian: value)
    } else if let value = Int32(exactly: value) {
      sink.put(0xd2)
      sink.put(bigEndian: value)
    } else {
      sink.put(0xd3)
      sink.put(bigEndian: value)
    }
  }

  @inline(__always)
  mutating func bytes(_ value: ByteBuffer?) {
    guard let value else { return null() }
    switch value.readableBytes {
    case ..<32: sink.put(0xa0 | UInt8(value.readableBytes))
    case ..<65_536:
      sink.put(0xda)
      sink.put(bigEndian: UInt16(value.readableBytes))
    default:
      sink.put(0xdb)
      sink.put(bigEndian: UInt32(value.readableBytes))
    }
    unsafe value.withUnsafeReadableBytes { unsafe sink.put($0) }
  }

  // MARK: Times

  mutating func timestamp(_ time: LogTimestamp) throws(WireError) {
    switch profile.timeFormat {
    case .binary: try binary(time)
    case .compact: try compact(time)
    }
  }

  /// Go's binary form: version, seconds since the year 1, nanoseconds, and the zone in minutes of which -1 stands
  /// for UTC. A zone with odd seconds takes version 2 and one byte more.
  private mutating func binary(_ time: LogTimestamp) throws(WireError) {
    try check(time)
    var minutes: Int16 = -1
    var seconds: Int8?
    if case .offset(let offset) = time.location {
      guard let whole = Int16(exactly: offset / 60), whole != -1 else {
        throw notEncodable("a zone offset of \(offset) s, which Go cannot write either")
      }
      minutes = whole
      seconds = offset % 60 == 0 ? nil : Int8(offset % 60)
    }
    sink.put(seconds == nil ? 0xaf : 0xb0)
    sink.put(seconds == nil ? 1 : 2)
    sink.put(bigEndian: time.unixSeconds &- LogTimestamp.zero.unixSeconds)
    sink.put(bigEndian: time.nanoseconds)
    sink.put(bigEndian: minutes)
    if let seconds { sink.put(bigEndian: seconds) }
  }

  /// The payload of MessagePack's timestamp as a string: 4, 8 or 12 bytes, whatever is enough. The zone is lost.
  private mutating func compact(_ time: LogTimestamp) throws(WireError) {
    try check(time)
    if time.isZero { return null() }
    let seconds = UInt64(bitPattern: time.unixSeconds)
    let nanoseconds = UInt64(time.nanoseconds)
    if seconds >> 34 != 0 {
      sink.put(0xac)
      sink.put(bigEndian: UInt32(nanoseconds))
      sink.put(bigEndian: time.unixSeconds)
    } else if nanoseconds == 0 && seconds >> 32 == 0 {
      sink.put(0xa4)
      sink.put(bigEndian: UInt32(seconds))
    } else {
      sink.put(0xa8)
      sink.put(bigEndian: nanoseconds << 34 | seconds)
    }
  }

  private func check(_ time: LogTimestamp) throws(WireError) {
    guard (0..<LogTimestamp.nanosecondBound).contains(time.nanoseconds) else {
      throw notEncodable("\(time.nanoseconds) nanoseconds, which is no time")
    }
  }

  private func notEncodable(_ message: String) -> WireError {
    WireError(code: .notEncodable, message: message, field: "\(WireField.appendedAt.name)")
  }
}
