#if Authentication
  internal import Crypto
#endif

/// A shared key, and the proofs that are made with it: written from the specification alone, as everything here.
package struct ProofKey: Sendable, CustomStringConvertible, CustomReflectable {
  /// Who proves.
  package enum Role: String, Sendable {
    case dialler = "rmux/1 dialler"
    case acceptor = "rmux/1 acceptor"
  }

  /// The bit of the method in HELLO.
  package static let methodBit: UInt32 = 4
  /// The method in AUTH.
  package static let method: UInt8 = 2

  private let bytes: [UInt8]

  /// Not the key: it must not get into a report.
  package var description: String { "a key" }
  package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }

  /// Takes a key of 32 bytes; `nil` for others, and in a build without cryptography.
  package init?(bytes: [UInt8]) {
    #if Authentication
      guard bytes.count == 32 else { return nil }
      self.bytes = bytes
    #else
      return nil
    #endif
  }

  /// Reads a key of 64 hexadecimal digits; white space around them is left out.
  package init?(hexadecimal text: String) {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 1, words[0].count == 64, words[0].allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
      return nil
    }
    self.init(bytes: .hexadecimal(words[0]))
  }

  /// HMAC-SHA-256 over the label of the role and both HELLO frames, each with its length in front (R-SEC-14).
  package func proof(of role: Role, dialler: [UInt8], acceptor: [UInt8]) -> [UInt8] {
    #if Authentication
      var message = Array(role.rawValue.utf8)
      for frame in [dialler, acceptor] {
        message.append(integer: UInt32(frame.count))
        message += frame
      }
      return Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: bytes)))
    #else
      preconditionFailure("a key exists in builds with cryptography only")
    #endif
  }
}
