import Foundation

/// The congestion control that TCP sockets of this network namespace begin with.
///
/// The namespace's setting is the one way that treats all systems alike, whatever their sockets allow to be set.
struct CongestionControl: Sendable {
  private static let path = "/proc/sys/net/ipv4/tcp_congestion_control"

  private let previous: String

  static var current: String? {
    (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Sets it.
  ///
  /// - Throws: ``BenchError`` where the system does not allow it.
  init(named name: String) throws {
    guard let previous = Self.current else {
      throw BenchError("this system does not show its congestion control")
    }
    self.previous = previous
    if previous == name { return }
    do {
      try Self.set(name)
    } catch {
      throw BenchError(
        "the congestion control \(name) cannot be set; that needs root, and it has to be among "
          + "net.ipv4.tcp_allowed_congestion_control")
    }
  }

  func restore() {
    if Self.current != previous { try? Self.set(previous) }
  }

  private static func set(_ name: String) throws {
    // A setting is written in place: a new file in its stead cannot be made.
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    defer { try? file.close() }
    try file.write(contentsOf: Data(name.utf8))
  }
}
