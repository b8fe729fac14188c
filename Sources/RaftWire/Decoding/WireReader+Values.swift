package import NIOCore

extension WireReader {
  // MARK: Integers

  /// Reads an integer of any format for an unsigned field; nil is 0.
  package mutating func readUInt64() throws(WireError) -> UInt64 {
    let lead = try readByte()
    switch lead {
    case 0x00...0x7f: return UInt64(lead)
    case 0xc0: return 0
    case 0xcc: return UInt64(try readByte())
    case 0xcd: return UInt64(try readInteger(UInt16.self))
    case 0xce: return UInt64(try readInteger(UInt32.self))
    case 0xcf: return try readInteger(UInt64.self)
    case 0xd0...0xd3, 0xe0...0xff:
      let value = try signedValue(lead)
      guard let value = UInt64(exactly: value) else {
        throw error(.outOfRange, "\(value) for an unsigned integer")
      }
      return value
    default: throw wrongType(lead, "an unsigned integer")
    }
  }

  /// Reads an integer of any format for a signed field; nil is 0, and 2^63 and above wrap around as in Go.
  package mutating func readInt64() throws(WireError) -> Int64 {
    let lead = try readByte()
    switch lead {
    case 0x00...0x7f: return Int64(lead)
    case 0xc0: return 0
    case 0xcc: return Int64(try readByte())
    case 0xcd: return Int64(try readInteger(UInt16.self))
    case 0xce: return Int64(try readInteger(UInt32.self))
    case 0xcf: return Int64(bitPattern: try readInteger(UInt64.self))
    case 0xd0...0xd3, 0xe0...0xff: return try signedValue(lead)
    default: throw wrongType(lead, "a signed integer")
    }
  }

  private mutating func signedValue(_ lead: UInt8) throws(WireError) -> Int64 {
    switch lead {
    case 0xd0: Int64(try readInteger(Int8.self))
    case 0xd1: Int64(try readInteger(Int16.self))
    case 0xd2: Int64(try readInteger(Int32.self))
    case 0xd3: try readInteger(Int64.self)
    default: Int64(Int8(bitPattern: lead))
    }
  }

  /// Reads an integer of any format for a field of one byte; nil is 0.
  package mutating func readUInt8() throws(WireError) -> UInt8 {
    let value = try readUInt64()
    guard let byte = UInt8(exactly: value) else { throw error(.outOfRange, "\(value) for one byte") }
    return byte
  }

  /// Reads a boolean (R-PAY-30), as which 0 and 1 pass, too; nil is `false`.
  package mutating func readBool() throws(WireError) -> Bool {
    let lead = try readByte()
    switch lead {
    case 0xc2, 0xc0, 0x00: return false
    case 0xc3, 0x01: return true
    default: throw wrongType(lead, "a boolean")
    }
  }

  // MARK: Bytes

  /// Reads bytes: a string or binary of any format, or an array (or map) of integers that fit into one byte each.
  /// nil stays `nil`; what is empty is not.
  package mutating func readBytes() throws(WireError) -> ByteBuffer? {
    let lead = try readByte()
    switch LeadByte(lead) {
    case .string(let length): return try readSlice(length)
    case .stringLength(let width): return try readSlice(try readLength(bytes: width))
    case .complete where lead == 0xc0: return nil
    case .array(let count): return try readBytesFromArray(count)
    case .arrayLength(let width): return try readBytesFromArray(try readLength(bytes: width))
    case .map(let pairs): return try readBytesFromArray(2 * pairs)
    case .mapLength(let width): return try readBytesFromArray(2 * (try readLength(bytes: width)))
    default: throw wrongType(lead, "bytes")
    }
  }

  /// Reads an error's text: bytes, but no map. No text and an empty one are both no error.
  package mutating func readText() throws(WireError) -> ByteBuffer? {
    let lead = try readByte()
    let text: ByteBuffer
    switch LeadByte(lead) {
    case .string(let length): text = try readSlice(length)
    case .stringLength(let width): text = try readSlice(try readLength(bytes: width))
    case .complete where lead == 0xc0: return nil
    case .array(let count): text = try readBytesFromArray(count)
    case .arrayLength(let width): text = try readBytesFromArray(try readLength(bytes: width))
    default: throw wrongType(lead, "a text")
    }
    return text.readableBytes > 0 ? text : nil
  }

  /// Reads bytes that are written as single integers, of which nil is 0.
  mutating func readBytesFromArray(_ count: Int) throws(WireError) -> ByteBuffer {
    guard try enter(elements: count) else { return ByteBuffer() }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for _ in 0..<count { bytes.append(try readUInt8()) }
    leave()
    return ByteBuffer(bytes: bytes)
  }

  // MARK: Entries

  /// Reads log entries: an array of objects and nils, a map taken as such an array, or nil. Entries that are
  /// there already, from an earlier field of the same name, are updated as in Go.
  package mutating func readEntries(into entries: inout [LogEntry?]?) throws(WireError) {
    let lead = try readByte()
    switch LeadByte(lead) {
    case .array(let count): try readEntries(count, into: &entries)
    case .arrayLength(let width): try readEntries(try readLength(bytes: width), into: &entries)
    case .map(let pairs): try readEntries(2 * pairs, into: &entries)
    case .mapLength(let width): try readEntries(2 * (try readLength(bytes: width)), into: &entries)
    case .complete where lead == 0xc0: entries = nil
    default: throw wrongType(lead, "entries")
    }
  }

  private mutating func readEntries(_ count: Int, into entries: inout [LogEntry?]?) throws(WireError) {
    let earlier = entries ?? []
    guard try enter(elements: count) else {
      entries = []
      return
    }
    var result: [LogEntry?] = []
    result.reserveCapacity(count)
    for index in 0..<count {
      if try takeNil() {
        result.append(nil)
      } else {
        var entry = LogEntry.blank
        if index < earlier.count, let known = earlier[index] { entry = known }
        try read(into: &entry)
        result.append(consume entry)
      }
    }
    leave()
    entries = result
  }
}
