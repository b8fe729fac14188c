import Foundation
import NIOCore
import RaftWire

/// A JSON object of a vector file, in the notation of Spec/vectors/raft-wire/README.md.
struct VectorValue {
  let object: [String: Any]

  struct Unreadable: Error {
    let key: String
  }

  func unsigned(_ key: String) throws -> UInt64 {
    guard let any = object[key] else { return 0 }
    guard let text = any as? String, let value = UInt64(text) else { throw Unreadable(key: key) }
    return value
  }

  func signed(_ key: String) throws -> Int64 {
    guard let any = object[key] else { return 0 }
    if let text = any as? String, let value = Int64(text) { return value }
    guard let number = any as? NSNumber else { throw Unreadable(key: key) }
    return number.int64Value
  }

  func boolean(_ key: String) throws -> Bool {
    guard let any = object[key] else { return false }
    guard let number = any as? NSNumber else { throw Unreadable(key: key) }
    return number.boolValue
  }

  func string(_ key: String) throws -> String {
    guard let value = object[key] as? String else { throw Unreadable(key: key) }
    return value
  }

  func object(_ key: String) throws -> VectorValue? {
    switch object[key] {
    case nil, is NSNull: return nil
    case let object as [String: Any]: return VectorValue(object: object)
    default: throw Unreadable(key: key)
    }
  }

  func bytes(_ key: String) throws -> ByteBuffer? {
    switch object[key] {
    case nil, is NSNull: return nil
    case let hex as String: return try ByteBuffer(hex: hex)
    case let object as [String: Any]: return try Self.repeated(object, key)
    default: throw Unreadable(key: key)
    }
  }

  /// An error's text; nil where it is empty, as it then stands for no error.
  func text(_ key: String) throws -> ByteBuffer? {
    let bytes: ByteBuffer
    switch object[key] {
    case let text as String: bytes = ByteBuffer(string: text)
    case let object as [String: Any]:
      if let hex = object["hex"] as? String {
        bytes = try ByteBuffer(hex: hex)
      } else {
        bytes = try Self.repeated(object, key)
      }
    default: throw Unreadable(key: key)
    }
    return bytes.readableBytes > 0 ? bytes : nil
  }

  func entries(_ key: String) throws -> [LogEntry?]? {
    switch object[key] {
    case nil, is NSNull: return nil
    case let elements as [Any]:
      return try elements.map { element in
        if element is NSNull { return nil }
        guard let object = element as? [String: Any] else { throw Unreadable(key: key) }
        return try LogEntry(vector: VectorValue(object: object))
      }
    case let object as [String: Any]:
      guard let entry = object["repeat"] as? [String: Any], let count = object["count"] as? NSNumber else {
        throw Unreadable(key: key)
      }
      let value = try LogEntry(vector: VectorValue(object: entry))
      return Array(repeating: value, count: count.intValue)
    default: throw Unreadable(key: key)
    }
  }

  func time(_ key: String) throws -> LogTimestamp {
    guard let time = try object(key) else { return .zero }
    return LogTimestamp(
      unixSeconds: try time.signed("unix"),
      nanoseconds: Int32(try time.signed("nsec")),
      location: try time.boolean("utc") ? .utc : .offset(seconds: Int32(try time.signed("offset")))
    )
  }

  private static func repeated(_ object: [String: Any], _ key: String) throws -> ByteBuffer {
    guard let hex = object["repeat"] as? String, let byte = UInt8(hex, radix: 16),
      let count = object["count"] as? NSNumber
    else { throw Unreadable(key: key) }
    return ByteBuffer(repeating: byte, count: count.intValue)
  }
}

extension ByteBuffer {
  struct NotHex: Error {}

  init(hex: String) throws {
    let digits = Array(hex.utf8)
    guard digits.count.isMultiple(of: 2) else { throw NotHex() }
    self.init()
    reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = Self.digit(digits[index]), let low = Self.digit(digits[index + 1]) else {
        throw NotHex()
      }
      writeInteger(high << 4 | low)
    }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  /// The readable bytes in hex, for messages of failed tests.
  var hex: String {
    readableBytesView.map { byte in
      let digits = String(byte, radix: 16)
      return digits.utf8.count == 1 ? "0" + digits : digits
    }.joined()
  }
}
