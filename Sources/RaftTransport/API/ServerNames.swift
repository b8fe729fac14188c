import StreamMux

/// The name of a server that is unique in its cluster for all time, as in upstream's `ServerID`.
///
/// It is at most 255 bytes of UTF-8. In calls an empty ID means "whoever answers at that address".
public struct ServerID: RawRepresentable, Hashable, Sendable, Comparable, ExpressibleByStringLiteral,
  CustomStringConvertible
{
  /// The name itself.
  public let rawValue: String

  /// Wraps a name.
  public init(rawValue: String) {
    self.rawValue = rawValue
  }

  /// Wraps a name.
  public init(_ name: String) {
    self.init(rawValue: name)
  }

  /// Wraps a name.
  public init(stringLiteral value: String) {
    self.init(rawValue: value)
  }

  /// The text for logs, with control characters escaped.
  public var description: String { rawValue.printable }

  /// Whether this is the empty ID, which stands for "whoever answers there".
  public var isEmpty: Bool { self.rawValue.isEmpty }

  /// Whether two names are the same bytes. Swift's own `==` of strings takes two spellings of one character for the
  /// same; other languages do not, and an identity must not depend on the language.
  public static func == (left: ServerID, right: ServerID) -> Bool {
    left.rawValue.utf8.elementsEqual(right.rawValue.utf8)
  }

  /// The opposite of `==`; spelled out because the standard library's own would compare the strings.
  public static func != (left: ServerID, right: ServerID) -> Bool {
    !(left == right)
  }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) {
    hasher.combineBytes(of: self.rawValue)
  }

  /// Orders by the bytes of the UTF-8 form, so that every implementation finds the same greater ID
  /// (Swift's own order of strings looks at canonical equivalence).
  public static func < (left: ServerID, right: ServerID) -> Bool {
    left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
  }
}

/// The network address of a server, as in upstream's `ServerAddress`: `host:port`, with IPv6 hosts in brackets.
public struct ServerAddress: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral,
  CustomStringConvertible
{
  /// The address as text, for instance `10.0.0.7:8300`, `[::1]:8300` or `raft-1.example.net:8300`.
  public let rawValue: String

  /// Wraps an address; it is looked at only when it is dialled.
  public init(rawValue: String) {
    self.rawValue = rawValue
  }

  /// Wraps an address; it is looked at only when it is dialled.
  public init(_ address: String) {
    self.init(rawValue: address)
  }

  /// Wraps an address; it is looked at only when it is dialled.
  public init(stringLiteral value: String) {
    self.init(rawValue: value)
  }

  /// The text for logs, with control characters escaped.
  public var description: String { rawValue.printable }

  /// Whether two addresses are the same bytes. Swift's own `==` of strings takes two spellings of one character for the
  /// same; other languages do not, and an identity must not depend on the language.
  public static func == (left: ServerAddress, right: ServerAddress) -> Bool {
    left.rawValue.utf8.elementsEqual(right.rawValue.utf8)
  }

  /// The opposite of `==`; spelled out because the standard library's own would compare the strings.
  public static func != (left: ServerAddress, right: ServerAddress) -> Bool {
    !(left == right)
  }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) {
    hasher.combineBytes(of: self.rawValue)
  }
}

extension Hasher {
  /// Hashes the UTF-8 form of a string. A hash of the string itself would be the same for all spellings of one text,
  /// and peers could choose names that all collide.
  fileprivate mutating func combineBytes(of string: String) {
    for byte in string.utf8 { combine(byte) }
    combine(0xFF as UInt8)
  }
}

/// Gives the current address of a server by its ID, as upstream's `ServerAddressProvider` does.
///
/// Its answer replaces the address that a call names. When it throws, the transport logs a warning and uses the
/// address of the call.
public protocol ServerAddressProvider: Sendable {
  /// The address at which the server can be reached now.
  ///
  /// - Parameter id: The server that a call names; never empty.
  /// - Throws: Any error; the call falls back to the address that it named.
  func serverAddress(for id: ServerID) async throws -> ServerAddress
}
