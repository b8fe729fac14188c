package import NIOCore

/// Sixteen random bytes that name one connection attempt of one server.
package struct Nonce: Hashable, Sendable {
  /// The encoded length in bytes.
  package static let length = 16

  /// The first eight bytes, big-endian.
  package let high: UInt64
  /// The last eight bytes, big-endian.
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// A nonce from the system's generator.
  package static func random() -> Nonce {
    var generator = SystemRandomNumberGenerator()
    return random(using: &generator)
  }

  package static func random(using generator: inout some RandomNumberGenerator) -> Nonce {
    Nonce(high: generator.next(), low: generator.next())
  }
}

extension Nonce: CustomStringConvertible {
  /// 32 hexadecimal digits.
  package var description: String {
    [high, low].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}

extension ByteBuffer {
  package mutating func readNonce() -> Nonce? {
    guard let (high, low) = readMultipleIntegers(as: (UInt64, UInt64).self) else { return nil }
    return Nonce(high: high, low: low)
  }

  package mutating func writeNonce(_ nonce: Nonce) {
    writeMultipleIntegers(nonce.high, nonce.low)
  }
}
