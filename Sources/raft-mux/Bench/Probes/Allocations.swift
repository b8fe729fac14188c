internal import CBenchProbes

/// Counts how often this process asks for memory.
enum Allocations {
  static func count(_ isOn: Bool) {
    bench_count_allocations(isOn)
  }

  /// How often it was asked for while counting was on; `nil` where that cannot be counted.
  static var count: UInt64? {
    bench_can_count_allocations() ? bench_allocations() : nil
  }
}
