#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the system lets this process have, made less so that it runs out.
enum ProcessLimit {
  case descriptors
  case fileSize

  func set(_ value: Int) {
    #if canImport(Darwin)
      let resource = self == .descriptors ? RLIMIT_NOFILE : RLIMIT_FSIZE
    #else
      let resource = __rlimit_resource_t(
        self == .descriptors ? RLIMIT_NOFILE.rawValue : RLIMIT_FSIZE.rawValue)
    #endif
    // Beyond the limit the system sends a signal before it answers with an error.
    if self == .fileSize { signal(SIGXFSZ, SIG_IGN) }
    var limit = rlimit()
    // The calls read and write the value and keep no pointer to it.
    guard unsafe getrlimit(resource, &limit) == 0 else { return }
    limit.rlim_cur = rlim_t(value)
    _ = unsafe setrlimit(resource, &limit)
  }
}
