import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

// Foundation's `Process` keeps run loops and sockets of its own open for good, which would show in the count of
// descriptors at the end; the system's own call keeps nothing.

/// Held while a pipe is made and while a process is started: one that is started between the making of a pipe and its
/// marking would keep the pipe open.
private let inheritance = Mutex(())

/// A pipe whose ends no other process gets unless it is given them.
struct PipeEnds {
  let reading: FileHandle
  let writing: FileHandle

  init() throws {
    let descriptors = try inheritance.withLock { _ in
      var descriptors: [Int32] = [-1, -1]
      // The call fills in both numbers and keeps no pointer to the array.
      guard unsafe pipe(&descriptors) == 0 else { throw DemoError("no pipe: \(systemError(errno))") }
      for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
      return descriptors
    }
    self.reading = FileHandle(fileDescriptor: descriptors[0], closeOnDealloc: true)
    self.writing = FileHandle(fileDescriptor: descriptors[1], closeOnDealloc: true)
  }
}

/// Starts a program with the given standard input and output, and this process's standard error.
///
/// - Returns: The process's number; it must be reaped with ``reap(_:)``.
func spawn(
  _ path: String, arguments: [String], standardInput: FileHandle, standardOutput: FileHandle
) throws -> pid_t {
  #if canImport(Darwin)
    var actions: posix_spawn_file_actions_t?
    var attributes: posix_spawnattr_t?
  #else
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
  #endif
  // All pointers below are to variables and arrays that live until the last of these calls has returned.
  unsafe posix_spawn_file_actions_init(&actions)
  defer { unsafe posix_spawn_file_actions_destroy(&actions) }
  unsafe posix_spawn_file_actions_adddup2(&actions, standardInput.fileDescriptor, STDIN_FILENO)
  unsafe posix_spawn_file_actions_adddup2(&actions, standardOutput.fileDescriptor, STDOUT_FILENO)

  // Threads of the runtime block signals and this process ignores some; a child starts without either.
  unsafe posix_spawnattr_init(&attributes)
  defer { unsafe posix_spawnattr_destroy(&attributes) }
  var none = sigset_t()
  unsafe sigemptyset(&none)
  var defaults = sigset_t()
  unsafe sigemptyset(&defaults)
  for number in [SIGINT, SIGTERM, SIGPIPE] { unsafe sigaddset(&defaults, number) }
  unsafe posix_spawnattr_setsigmask(&attributes, &none)
  unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
  unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

  var words = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
  defer { unsafe words.forEach { unsafe free($0) } }
  var id: pid_t = 0
  let result = inheritance.withLock { _ in
    unsafe posix_spawn(&id, path, &actions, &attributes, &words, environ)
  }
  guard result == 0 else { throw DemoError(systemError(result)) }
  return id
}

/// Waits for the end of a process that this one has started, on whichever thread asks.
func reap(_ id: pid_t) {
  var status: Int32 = 0
  // The call fills in the status and keeps no pointer to it.
  while unsafe waitpid(id, &status, 0) == -1, errno == EINTR {}
}

private func systemError(_ number: Int32) -> String {
  POSIXErrorCode(rawValue: number).map { POSIXError($0).localizedDescription } ?? "error \(number)"
}
