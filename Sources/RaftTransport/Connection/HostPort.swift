import NIOCore

/// An address of the form `host:port`, taken apart.
struct HostPort: Hashable, Sendable {
  /// A name or an IP address without brackets; empty for "all interfaces".
  let host: String
  let port: Int

  /// - Throws: ``TransportError`` with `badAddress`, which says what is wrong.
  init(_ text: String) throws(TransportError) {
    guard let colon = text.lastIndex(of: ":") else {
      throw Self.bad(text, "it has no port; `host:port` is due")
    }
    let portText = text[text.index(after: colon)...]
    guard let port = UInt16(portText), portText.allSatisfy(\.isNumber) else {
      throw Self.bad(text, "its port is not a number of 0 to 65535")
    }
    var host = text[..<colon]
    if host.hasPrefix("[") {
      guard host.hasSuffix("]") else { throw Self.bad(text, "its bracket is not closed") }
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      throw Self.bad(text, "an IPv6 address goes into brackets, as in [::1]:8300")
    }
    self.host = String(host)
    self.port = Int(port)
  }

  /// The address for an IP and a port, with brackets where they are due.
  static func text(host: String, port: Int) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  private static func bad(_ text: String, _ why: String) -> TransportError {
    TransportError(.badAddress, "'\(text)': \(why)", delivery: .notDelivered)
  }
}

extension SocketAddress {
  /// Whether the address is one of this machine to itself.
  var isLoopback: Bool {
    switch self {
    case .v4: ipAddress?.hasPrefix("127.") ?? false
    case .v6: ipAddress == "::1" || (ipAddress?.hasPrefix("::ffff:127.") ?? false)
    case .unixDomainSocket: true
    }
  }

  /// Whether it stands for all interfaces, which no peer can dial.
  var isUnspecified: Bool {
    switch self {
    case .v4: ipAddress == "0.0.0.0"
    case .v6: ipAddress == "::"
    case .unixDomainSocket: false
    }
  }
}
