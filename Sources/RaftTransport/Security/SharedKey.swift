#if Authentication
  import Crypto

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  /// A secret of 32 bytes that every server of a cluster has.
  public struct SharedKey: Sendable, CustomStringConvertible {
    /// The length in bytes.
    public static let length = 32

    let key: SymmetricKey

    private init(_ key: SymmetricKey) {
      self.key = key
    }

    /// Wraps a key. It has to be random: no passphrase, no hash of one.
    ///
    /// - Parameter bytes: Exactly 32 bytes.
    /// - Throws: ``TransportError`` with `badCredentials` for another length, and for 32 times the same byte.
    public init(bytes: [UInt8]) throws(TransportError) {
      guard bytes.count == Self.length else {
        throw Self.bad("a shared key has \(Self.length) bytes, not \(bytes.count)")
      }
      guard Set(bytes).count > 1 else { throw Self.bad("the shared key is one byte repeated") }
      self.init(SymmetricKey(data: bytes))
    }

    /// Reads a key of 64 hexadecimal digits, as `openssl rand -hex 32` prints them; white space around them is left out.
    ///
    /// - Throws: ``TransportError`` with `badCredentials`.
    public init(hexadecimal text: String) throws(TransportError) {
      let digits = text.split(whereSeparator: \.isWhitespace)
      guard digits.count == 1, let hexadecimal = digits.first, hexadecimal.utf8.count == 2 * Self.length,
        hexadecimal.allSatisfy({ $0.isASCII && $0.isHexDigit })
      else { throw Self.bad("a shared key is written as \(2 * Self.length) hexadecimal digits") }
      let values = hexadecimal.compactMap(\.hexDigitValue).map(UInt8.init)
      try self.init(bytes: (0..<Self.length).map { values[2 * $0] << 4 | values[2 * $0 + 1] })
    }

    /// Reads a key of 64 hexadecimal digits from a file.
    ///
    /// - Throws: ``TransportError`` with `badCredentials`.
    public init(file path: String) throws(TransportError) {
      let text: String
      do {
        text = try String(contentsOfFile: path, encoding: .utf8)
      } catch {
        throw TransportError(
          .badCredentials, "the shared key (\(path)) cannot be read", delivery: .notDelivered,
          underlying: error)
      }
      try self.init(hexadecimal: text)
    }

    /// A new key from the system's generator.
    public static func random() -> SharedKey {
      SharedKey(SymmetricKey(size: .bits256))
    }

    /// The key as 64 hexadecimal digits, to be given to the other servers.
    public var hexadecimal: String {
      // The library gives its bytes in no other way; they are copied and not kept.
      let bytes = unsafe key.withUnsafeBytes { unsafe Array($0) }
      return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Says nothing of the key, so that it gets into no log.
    public var description: String { "a shared key" }

    private static func bad(_ message: String) -> TransportError {
      TransportError(.badCredentials, message, delivery: .notDelivered)
    }
  }
#endif
