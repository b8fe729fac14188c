internal import NIOCore
internal import Synchronization

/// One piece of work on a thread pool, that can be awaited by one task and given up at any time.
///
/// Given up before a thread has taken it, it is over at once: the pool's queue then holds only an empty shell.
final class PoolJob<Value: Sendable>: Sendable {
  private enum State {
    /// The work is kept here, so that giving up lets go of what it holds.
    case queued(@Sendable () throws -> Value, waiter: CheckedContinuation<Value, any Error>?)
    case running(waiter: CheckedContinuation<Value, any Error>?)
    case finished(Result<Value, any Error>)
  }

  private let state: Mutex<State>

  /// Puts `work` in the queue of `pool`.
  init(on pool: any WorkerPool, _ work: @escaping @Sendable () throws -> Value) {
    state = Mutex(.queued(work, waiter: nil))
    pool.run { isActive in
      guard isActive else {
        self.finish(.failure(ThreadPoolStopped()))
        return
      }
      guard let work = self.start() else { return }
      self.finish(Result { try work() })
    }
  }

  /// Waits for the result. Cancellation ends the wait at once while the job is queued; a job that runs is
  /// waited for, so that nothing runs behind the caller's back.
  ///
  /// - Precondition: one caller at a time.
  nonisolated(nonsending) func value() async throws -> Value {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Value, any Error>? = state.withLock { state in
          switch state {
          case .queued(let work, let waiter):
            precondition(waiter == nil)
            state = .queued(work, waiter: continuation)
            return nil
          case .running(let waiter):
            precondition(waiter == nil)
            state = .running(waiter: continuation)
            return nil
          case .finished(let result):
            return result
          }
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      abandon()
    }
  }

  /// Gives the job up, unless a thread has taken it already.
  func abandon() {
    let waiter: CheckedContinuation<Value, any Error>? = state.withLock { state in
      guard case .queued(_, let waiter) = state else { return nil }
      state = .finished(.failure(CancellationError()))
      return waiter
    }
    waiter?.resume(throwing: CancellationError())
  }

  private func start() -> (@Sendable () throws -> Value)? {
    state.withLock { state in
      guard case .queued(let work, let waiter) = state else { return nil }
      state = .running(waiter: waiter)
      return work
    }
  }

  private func finish(_ result: Result<Value, any Error>) {
    let waiter: CheckedContinuation<Value, any Error>? = state.withLock { state in
      switch state {
      case .queued(_, let waiter), .running(let waiter):
        state = .finished(result)
        return waiter
      case .finished:
        return nil
      }
    }
    waiter?.resume(with: result)
  }
}

/// The thread pool was shut down under a snapshot.
struct ThreadPoolStopped: Error, CustomStringConvertible {
  var description: String { "the thread pool for compression was shut down" }
}
