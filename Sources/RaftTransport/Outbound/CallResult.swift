import RaftWire
import Synchronization

/// The result of one call: completed once, from the event loop, and awaited once, by the caller's task.
final class CallResult<Value: Sendable>: Sendable {
  private enum State {
    case pending
    case awaited(Waiter<Result<Value, TransportError>>)
    case completed(Result<Value, TransportError>)
    case taken
  }

  private let state = Mutex(State.pending)

  /// Sets the result; the first one counts.
  func complete(_ result: Result<Value, TransportError>) {
    let waiter = state.withLock { state -> Waiter<Result<Value, TransportError>>? in
      switch state {
      case .pending:
        state = .completed(result)
        return nil
      case .awaited(let waiter):
        state = .taken
        return waiter
      case .completed, .taken:
        return nil
      }
    }
    waiter?.resume(returning: result)
  }

  /// Waits for the result. Cancellation does not end the wait but is passed on, so that what runs can be ended in
  /// good order and its end becomes the result.
  func value(onCancel: @escaping @Sendable () -> Void) async throws -> Value {
    let result = await withTaskCancellationHandler {
      await Waiter.wait { waiter in
        let ready = state.withLock { state -> Result<Value, TransportError>? in
          switch state {
          case .pending:
            state = .awaited(waiter)
            return nil
          case .completed(let result):
            state = .taken
            return result
          case .awaited, .taken:
            preconditionFailure("a call's result is awaited once")
          }
        }
        if let ready { waiter.resume(returning: ready) }
      }
    } onCancel: {
      onCancel()
    }
    return try result.get()
  }
}
