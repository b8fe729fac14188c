extension [UInt8] {
  /// Appends an integer, most significant byte first.
  package mutating func append(integer: some FixedWidthInteger) {
    for shift in stride(from: integer.bitWidth - 8, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: integer >> shift))
    }
  }

  /// The bytes of an integer, most significant first.
  package static func bigEndian(_ integer: some FixedWidthInteger) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(integer: integer)
    return bytes
  }

  /// Reads hexadecimal digits; whatever is none is passed over.
  package static func hexadecimal(_ text: some StringProtocol) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}

/// Reads integers off the front of bytes; `nil` where there are too few.
package struct ByteReader: Sendable {
  package private(set) var rest: ArraySlice<UInt8>

  package init(_ bytes: some Collection<UInt8>) {
    rest = ArraySlice(bytes)
  }

  package mutating func integer<Value: FixedWidthInteger>(as _: Value.Type = Value.self) -> Value? {
    guard let bytes = bytes(Value.bitWidth / 8) else { return nil }
    return bytes.reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
  }

  package mutating func bytes(_ count: Int) -> [UInt8]? {
    guard count >= 0, rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }
}
