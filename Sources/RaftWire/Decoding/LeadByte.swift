/// What the first byte of a MessagePack value says.
enum LeadByte {
  /// A whole value in one byte: nil, booleans, small integers.
  case complete
  /// A value of so many further bytes: integers and floats.
  case fixed(bytes: Int)
  /// A string or binary whose length is known already.
  case string(length: Int)
  /// A string or binary whose length follows in so many bytes.
  case stringLength(bytes: Int)
  /// An array whose count is known already.
  case array(count: Int)
  /// An array whose count follows in so many bytes.
  case arrayLength(bytes: Int)
  /// A map whose count of pairs is known already.
  case map(pairs: Int)
  /// A map whose count of pairs follows in so many bytes.
  case mapLength(bytes: Int)
  /// An extension of known length; its type byte follows.
  case extended(length: Int)
  /// An extension whose length follows in so many bytes, and then its type byte.
  case extendedLength(bytes: Int)
  /// The byte that MessagePack never uses.
  case reserved

  @inline(__always)
  init(_ byte: UInt8) {
    self =
      switch byte {
      case 0x00...0x7f, 0xe0...0xff, 0xc0, 0xc2, 0xc3: .complete
      case 0x80...0x8f: .map(pairs: Int(byte & 0x0f))
      case 0x90...0x9f: .array(count: Int(byte & 0x0f))
      case 0xa0...0xbf: .string(length: Int(byte & 0x1f))
      case 0xc4, 0xd9: .stringLength(bytes: 1)
      case 0xc5, 0xda: .stringLength(bytes: 2)
      case 0xc6, 0xdb: .stringLength(bytes: 4)
      case 0xc7: .extendedLength(bytes: 1)
      case 0xc8: .extendedLength(bytes: 2)
      case 0xc9: .extendedLength(bytes: 4)
      case 0xcc, 0xd0: .fixed(bytes: 1)
      case 0xcd, 0xd1: .fixed(bytes: 2)
      case 0xca, 0xce, 0xd2: .fixed(bytes: 4)
      case 0xcb, 0xcf, 0xd3: .fixed(bytes: 8)
      case 0xd4: .extended(length: 1)
      case 0xd5: .extended(length: 2)
      case 0xd6: .extended(length: 4)
      case 0xd7: .extended(length: 8)
      case 0xd8: .extended(length: 16)
      case 0xdc: .arrayLength(bytes: 2)
      case 0xdd: .arrayLength(bytes: 4)
      case 0xde: .mapLength(bytes: 2)
      case 0xdf: .mapLength(bytes: 4)
      default: .reserved
      }
  }
}
