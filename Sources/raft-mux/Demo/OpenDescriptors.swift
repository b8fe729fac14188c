import Foundation

/// The file descriptors that this process has open, by what they lead to.
enum OpenDescriptors {
  /// What each open descriptor leads to, by its number; `nil` on platforms that do not show it as files.
  static func current() -> [Int: String]? {
    let directory = "/proc/self/fd"
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return nil }
    var descriptors: [Int: String] = [:]
    for name in names {
      // The descriptor with which the directory itself was read is gone by now and has no target any more.
      guard let number = Int(name),
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\(name)")
      else {
        continue
      }
      descriptors[number] = target
    }
    return descriptors
  }

  /// Opens what the runtime has open now and then, so that it is in both counts.
  ///
  /// The runtime keeps a descriptor for its timers while any is pending: from here on, one always is, until the
  /// process ends.
  static func settleRuntime() async {
    // A timer that is pending until the process ends.
    Task { try? await Task.sleep(for: .seconds(3600)) }
    // One that passes: the runtime has opened its descriptor then.
    try? await Task.sleep(for: .milliseconds(5))
  }

  /// The kinds of descriptors of which there are more than before, each with the surplus: `socket: 2 more`.
  static func surplus(before: [Int: String], after: [Int: String]) -> [String] {
    guard after.count > before.count else { return [] }
    var surplus = self.kinds(of: after)
    for (kind, count) in self.kinds(of: before) { surplus[kind, default: 0] -= count }
    return surplus.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value) more" }
  }

  private static func kinds(of descriptors: [Int: String]) -> [String: Int] {
    var kinds: [String: Int] = [:]
    for target in descriptors.values {
      // `socket:[4711]` and `pipe:[4712]` are kinds with a number; files keep their path.
      let kind = target.hasPrefix("/") ? target : String(target.prefix { $0 != ":" })
      kinds[target.hasPrefix("anon_inode") ? target : kind, default: 0] += 1
    }
    return kinds
  }
}
