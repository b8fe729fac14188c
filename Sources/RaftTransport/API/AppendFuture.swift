import Synchronization

/// The answer to come of one request on a pipeline: upstream's `AppendFuture`.
public final class AppendFuture: Sendable {
  /// The request, as it was sent.
  public let request: AppendEntriesRequest

  /// When the request was handed to the pipeline.
  public let start: ContinuousClock.Instant

  private enum State {
    case pending([CheckedContinuation<Result<AppendEntriesResponse, TransportError>, Never>])
    case completed(Result<AppendEntriesResponse, TransportError>)
  }

  private let state: Mutex<State>

  /// Makes a future without an answer; for transports and their tests.
  public init(request: AppendEntriesRequest, start: ContinuousClock.Instant = .now) {
    self.request = request
    self.start = start
    self.state = Mutex(.pending([]))
  }

  /// The answer or the error; waits for it where it has not come yet.
  ///
  /// The wait ends with the pipeline at the latest; it takes no notice of the task's cancellation.
  ///
  /// - Throws: ``TransportError``.
  public var response: AppendEntriesResponse {
    get async throws {
      let result = await withCheckedContinuation { continuation in
        let ready: Result<AppendEntriesResponse, TransportError>? = self.state.withLock { state in
          switch state {
          case .completed(let result):
            return result
          case .pending(let waiters):
            state = .pending(waiters + [continuation])
            return nil
          }
        }
        if let ready { continuation.resume(returning: ready) }
      }
      return try result.get()
    }
  }

  /// Gives the future its answer; for transports and their tests. The first answer counts.
  public func complete(_ result: Result<AppendEntriesResponse, TransportError>) {
    let waiters = self.state.withLock { state in
      guard case .pending(let waiters) = state else {
        return [CheckedContinuation<Result<AppendEntriesResponse, TransportError>, Never>]()
      }
      state = .completed(result)
      return waiters
    }
    for waiter in waiters { waiter.resume(returning: result) }
  }
}
