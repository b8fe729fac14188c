import Foundation

/// The system's own list of TCP sockets, where it has one.
struct SystemSockets {
  struct Socket: Hashable {
    let localPort: Int
    let remotePort: Int
    let isListening: Bool
    let isEstablished: Bool
    let inode: String
  }

  #if os(Linux)
    static let isAvailable = true
  #else
    static let isAvailable = false
  #endif

  let sockets: [Socket]

  init() {
    sockets = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { path in
      // Such a file has no size, so it is read to its end.
      let bytes = try? FileHandle(forReadingAtPath: path)?.readToEnd()
      let text = String(decoding: bytes ?? Data(), as: UTF8.self)
      return text.split(separator: "\n").dropFirst().compactMap(Self.socket)
    }
  }

  /// The connections of which one end has one of the ports, each counted once though both ends are here.
  func connectionCount(ofPorts ports: Set<Int>) -> Int {
    Set(
      sockets.filter { $0.isEstablished && (ports.contains($0.localPort) || ports.contains($0.remotePort)) }
        .map { Set([$0.localPort, $0.remotePort]) }
    ).count
  }

  /// The descriptors of this process that are sockets with one of the ports at either end.
  func descriptorCount(ofPorts ports: Set<Int>) -> Int { descriptors(ofPorts: ports).count }

  /// The same by the system's numbers of the sockets. A port that was closed may be another test's at once; these are
  /// not given twice.
  func descriptors(ofPorts ports: Set<Int>) -> Set<String> {
    let inodes = Set(
      sockets.filter { ports.contains($0.localPort) || ports.contains($0.remotePort) }.map(\.inode))
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    let targets = names.compactMap { name in
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
    }
    return inodes.intersection(targets.map { String($0.dropFirst("socket:[".count).dropLast()) })
  }

  private static func socket(_ line: Substring) -> Socket? {
    let fields = line.split(separator: " ", omittingEmptySubsequences: true)
    guard fields.count > 9, let local = port(fields[1]), let remote = port(fields[2]) else { return nil }
    return Socket(
      localPort: local, remotePort: remote, isListening: fields[3] == "0A", isEstablished: fields[3] == "01",
      inode: String(fields[9]))
  }

  private static func port(_ address: Substring) -> Int? {
    address.split(separator: ":").last.flatMap { Int($0, radix: 16) }
  }
}
