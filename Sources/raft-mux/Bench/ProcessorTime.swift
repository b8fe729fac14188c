#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The processor time of this process, all threads, user and system.
enum ProcessorTime {
  static var seconds: Double {
    var time = timespec()
    // The call fills in the value and keeps no pointer to it; this clock exists on all systems that we run on.
    guard unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
