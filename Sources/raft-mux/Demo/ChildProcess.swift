import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// This executable, started once more with other arguments, or another program; talks in lines.
final class ChildProcess: Sendable {
  /// The process's number.
  let id: Int32

  // Only `write` and `end` use the pipe after the start, one at a time under the lock; `nil` once it is closed.
  private let input: Mutex<FileHandle?>
  private let exit: ExitLatch

  /// Starts the process.
  ///
  /// - Parameters:
  ///   - program: The path of another program; `nil` for this executable.
  ///   - onLine: Gets each line of its standard output, without the end, on a thread of its own.
  ///   - onEnd: Called once after the last line.
  init(
    program: String? = nil, arguments: [String], onLine: @escaping @Sendable (String) -> Void,
    onEnd: @escaping @Sendable () -> Void
  ) throws {
    let input = try PipeEnds()
    let output = try PipeEnds()
    self.id = try spawn(
      program ?? Self.executable(), arguments: arguments, standardInput: input.reading,
      standardOutput: output.writing)
    // The process has these two now; the pipe ends when nobody else has them.
    try input.reading.close()
    try output.writing.close()
    self.input = Mutex(input.writing)
    let exit = ExitLatch()
    self.exit = exit
    let id = self.id
    Thread.detachNewThread {
      reap(id)
      exit.open()
    }
    let reading = LineReader(output.reading)
    Thread.detachNewThread {
      reading.run(onLine)
      onEnd()
    }
  }

  private static func executable() throws -> String {
    if let running = Bundle.main.executableURL { return running.path }
    guard let name = CommandLine.arguments.first, name.contains("/") else {
      throw DemoError("the path of this executable is not known")
    }
    return name
  }

  /// Writes to the process's standard input.
  func write(_ bytes: Data) throws {
    try self.input.withLock { handle in
      guard let handle else { throw DemoError("closed") }
      try handle.write(contentsOf: bytes)
    }
  }

  /// Ends the process: it ends by itself at the end of its input; if it does not, it is told to, then made to.
  func end() async {
    self.input.withLock { handle in
      try? handle?.close()
      handle = nil
    }
    if await self.exit.wait(atMost: .seconds(5)) { return }
    kill(self.id, SIGTERM)
    if await self.exit.wait(atMost: .seconds(2)) { return }
    kill(self.id, SIGKILL)
    _ = await self.exit.wait(atMost: .seconds(5))
  }

  /// Ends the process without giving it a chance to say goodbye.
  func endAbruptly() {
    kill(self.id, SIGKILL)
  }

  /// Whether a process with this number exists still.
  static func isAlive(_ id: Int32) -> Bool {
    kill(id, 0) == 0
  }
}

/// Opens once, when a process has ended.
private final class ExitLatch: Sendable {
  private let isOpen = Atomic(false)

  func open() {
    self.isOpen.store(true, ordering: .releasing)
  }

  /// Waits until it is open; `false` if that takes too long.
  func wait(atMost limit: Duration) async -> Bool {
    let deadline = ContinuousClock.now + limit
    while !self.isOpen.load(ordering: .acquiring) {
      guard ContinuousClock.now < deadline else { return false }
      // The flag is what is waited for; a thread sets it that knows of no task.
      try? await Task.sleep(for: .milliseconds(5))
    }
    return true
  }
}
