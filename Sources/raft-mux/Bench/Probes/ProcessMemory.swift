internal import CBenchProbes
import Foundation

/// What this process holds and how often it wakes up.
enum ProcessMemory {
  /// Memory that is really there; 0 where the system does not show it.
  static var residentBytes: UInt64 {
    (field("VmRSS", of: "/proc/self/status") ?? 0) * 1024
  }

  /// What is allocated; 0 where the C library does not tell.
  static var heapBytes: UInt64 { bench_heap_bytes() }

  /// How often its threads have gone to sleep of themselves, and so were woken.
  static var wakeUps: UInt64 {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return threads.reduce(0) {
      $0 + (field("voluntary_ctxt_switches", of: "/proc/self/task/\($1)/status") ?? 0)
    }
  }

  private static func field(_ name: String, of path: String) -> UInt64? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("\(name):") })
    else {
      return nil
    }
    return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { UInt64($0) }
  }
}
