import Foundation

/// The TCP sockets of this machine as the operating system lists them, so that the demo need not take the
/// transport's word for how many connections it keeps.
struct SocketTable: Equatable, Sendable {
  /// The states of a socket that the demo tells apart; Linux has them as two hexadecimal digits.
  enum State: Equatable, Sendable {
    case established
    case closeWait
    case timeWait
    case listen
    /// Any other state, by its number; a socket is in one of these for a moment only.
    case passing(UInt8)

    init(number: UInt8) {
      switch number {
      case 0x01: self = .established
      case 0x06: self = .timeWait
      case 0x08: self = .closeWait
      case 0x0A: self = .listen
      default: self = .passing(number)
      }
    }
  }

  /// One socket. Both ends of a connection on this machine are in the table, each as a socket of its own.
  struct Socket: Equatable, Sendable {
    var localPort: Int
    var remotePort: Int
    var state: State
  }

  var sockets: [Socket]

  /// The table now; `nil` on platforms that do not show it as files.
  static func current() -> SocketTable? {
    guard let version4 = contents(of: "/proc/net/tcp") else { return nil }
    // A machine without IPv6 has no second file.
    let version6 = contents(of: "/proc/net/tcp6") ?? ""
    return SocketTable(sockets: parse(version4) + parse(version6))
  }

  private static func contents(of path: String) -> String? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? file.close() }
    guard let bytes = try? file.readToEnd() else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Reads the text of `/proc/net/tcp` or `/proc/net/tcp6`; lines that are not sockets (the heading) are skipped.
  static func parse(_ text: String) -> [Socket] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count > 3,
        let localPort = self.port(of: fields[1]),
        let remotePort = self.port(of: fields[2]),
        let state = UInt8(fields[3], radix: 16)
      else {
        return nil
      }
      return Socket(localPort: localPort, remotePort: remotePort, state: State(number: state))
    }
  }

  /// The port of an address such as `0100007F:1F90`.
  private static func port(of address: Substring) -> Int? {
    let parts = address.split(separator: ":")
    guard parts.count == 2, let port = UInt16(parts[1], radix: 16) else { return nil }
    return Int(port)
  }

  /// The remote ports of the established connections that were made to a listener: one per connection, seen from
  /// the accepting end, so that a connection within this machine is not counted twice.
  func diallers(toListener port: Int) -> [Int] {
    self.sockets.filter { $0.state == .established && $0.localPort == port }.map(\.remotePort)
  }

  /// The sockets of the given listeners, either end, that are open still. What waits for stray packets (TIME_WAIT)
  /// or is on its last segments belongs to the kernel and is no leak.
  func open(ofListeners ports: Set<Int>) -> [Socket] {
    self.sockets.filter { socket in
      switch socket.state {
      case .established, .listen, .closeWait:
        ports.contains(socket.localPort) || ports.contains(socket.remotePort)
      case .timeWait, .passing:
        false
      }
    }
  }
}
