package import NIOPosix

/// Runs work that would hold an event loop up.
package protocol WorkerPool: Sendable {
  /// Runs a job some time later, on any thread.
  ///
  /// - Parameter job: Told whether there is still a thread for it; called once.
  func run(_ job: @escaping @Sendable (_ isActive: Bool) -> Void)
}

extension NIOThreadPool: WorkerPool {
  package func run(_ job: @escaping @Sendable (_ isActive: Bool) -> Void) {
    submit { state in job(state == .active) }
  }
}
