internal import CBenchProbes
import Foundation

/// Counts the system calls of a process while it exists: the kernel's own counter of its tracepoint, which slows each
/// call down a little but leaves none out.
final class SystemCallCounter: Sendable {
  private static let tracepoint = "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id"

  private let descriptors: [Int32]

  /// Begins counting.
  ///
  /// - Throws: ``BenchError`` with the reason why that is not possible.
  init(processID: Int32) throws {
    guard let text = try? String(contentsOfFile: Self.tracepoint, encoding: .utf8),
      let tracepoint = UInt64(text.trimmingCharacters(in: .whitespacesAndNewlines))
    else {
      throw BenchError("system calls cannot be counted: \(Self.tracepoint) cannot be read (it needs root)")
    }
    let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/task")
    var descriptors: [Int32] = []
    for thread in threads.compactMap({ Int32($0) }) {
      let descriptor = bench_open_tracepoint_counter(tracepoint, thread)
      guard descriptor >= 0 else {
        // A thread that has ended in the meantime has nothing to count.
        if descriptor == -ESRCH { continue }
        for open in descriptors { bench_close_counter(open) }
        throw BenchError("system calls cannot be counted: perf_event_open: error \(-descriptor)")
      }
      descriptors.append(descriptor)
    }
    self.descriptors = descriptors
  }

  deinit {
    for descriptor in descriptors { bench_close_counter(descriptor) }
  }

  var count: UInt64 {
    descriptors.reduce(0) { $0 + UInt64(max(0, bench_read_counter($1))) }
  }
}
