import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Turns Ctrl-C (and a request to terminate) into a call, and the second one into the end.
final class Interruption: Sendable {
  // The sources are kept alive here and touched only to be cancelled; Dispatch guards them itself.
  private let sources: Mutex<[any DispatchSourceSignal]>

  /// - Parameters:
  ///   - onFirst: Asks for an orderly end.
  ///   - onSecond: Tidies up in a moment; the process exits right after.
  init(onFirst: @escaping @Sendable () -> Void, onSecond: @escaping @Sendable () -> Void) {
    let count = SignalCount()
    let queue = DispatchQueue(label: "raft-mux.signals")
    var sources: [any DispatchSourceSignal] = []
    for number in [SIGINT, SIGTERM] {
      // Without this the signal would end the process before the source sees it.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if count.next() == 1 {
          onFirst()
        } else {
          onSecond()
          exit(128 + number)
        }
      }
      source.resume()
      sources.append(source)
    }
    self.sources = Mutex(sources)
  }

  /// Leaves Ctrl-C to the parent process, which has it, too.
  static func leaveToParent() {
    signal(SIGINT, SIG_IGN)
  }

  /// Makes writing to a process that is gone an error instead of the end.
  static func ignoreBrokenPipes() {
    signal(SIGPIPE, SIG_IGN)
  }

  private final class SignalCount: Sendable {
    private let count = Atomic(0)

    func next() -> Int { self.count.add(1, ordering: .relaxed).newValue }
  }
}
