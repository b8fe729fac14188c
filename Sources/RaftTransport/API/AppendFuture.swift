import Synchronization

/// The answer to come of one request on a pipeline: upstream's `AppendFuture`.
public final class AppendFuture: Sendable {
  /// The request, as it was sent.
  public let request: AppendEntriesRequest

  /// When the request was handed to the pipeline.
  public let start: ContinuousClock.Instant

  private typealias Outcome = Result<AppendEntriesResponse, TransportError>

  private enum State {
    case pending([UInt64: CheckedContinuation<Outcome, Never>])
    case completed(Outcome)

    var outcome: Outcome? {
      if case .completed(let outcome) = self { outcome } else { nil }
    }
  }

  private let state = Mutex(State.pending([:]))
  private let nextWaiter = Atomic<UInt64>(0)

  /// Makes a future without an answer; for transports and their tests.
  public init(request: AppendEntriesRequest, start: ContinuousClock.Instant = .now) {
    self.request = request
    self.start = start
  }

  /// The answer or the error; waits for it where it has not come yet.
  ///
  /// Cancelling the task that waits ends the wait alone: the request is not taken back, and another task may still
  /// wait for its answer.
  ///
  /// - Throws: ``TransportError``; of code `cancelled` where the wait was given up.
  public var response: AppendEntriesResponse {
    get async throws {
      // The consumer's futures have their answers: nobody waits there, and nothing is made for waiting.
      if let outcome = state.withLock({ $0.outcome }) { return try outcome.get() }
      let waiter = nextWaiter.wrappingAdd(1, ordering: .relaxed).newValue
      let outcome = await withTaskCancellationHandler {
        await withCheckedContinuation { wait(as: waiter, $0) }
      } onCancel: {
        giveUp(waiter)
      }
      return try outcome.get()
    }
  }

  /// Gives the future its answer; for transports and their tests. The first answer counts.
  public func complete(_ result: Result<AppendEntriesResponse, TransportError>) {
    let waiters = state.withLock { state -> [UInt64: CheckedContinuation<Outcome, Never>] in
      guard case .pending(let waiters) = state else { return [:] }
      state = .completed(result)
      return waiters
    }
    for waiter in waiters.values { waiter.resume(returning: result) }
  }

  private func wait(as waiter: UInt64, _ continuation: CheckedContinuation<Outcome, Never>) {
    let ready = state.withLock { state -> Outcome? in
      switch state {
      case .completed(let outcome):
        return outcome
      case .pending(var waiters):
        // The flag is set before the cancellation handler runs, so that one of the two sees the other.
        if Task.isCancelled { return .failure(Self.gaveUp) }
        waiters[waiter] = continuation
        state = .pending(waiters)
        return nil
      }
    }
    if let ready { continuation.resume(returning: ready) }
  }

  private func giveUp(_ waiter: UInt64) {
    let continuation = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
      guard case .pending(var waiters) = state else { return nil }
      let continuation = waiters.removeValue(forKey: waiter)
      state = .pending(waiters)
      return continuation
    }
    continuation?.resume(returning: .failure(Self.gaveUp))
  }

  private static var gaveUp: TransportError {
    TransportError(.cancelled, "the wait for the answer was given up", delivery: .unknown)
  }
}
