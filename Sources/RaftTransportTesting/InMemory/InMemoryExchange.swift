internal import RaftTransport
internal import Synchronization

/// One request and its answer to come: whatever ends it first decides, everything later is ignored.
final class InMemoryExchange<Response: Sendable>: Sendable {
  typealias Outcome = Result<Response, TransportError>

  private struct State {
    var isDelivered = false
    var outcome: Outcome?
    var waiters: [CheckedContinuation<Outcome, Never>] = []
  }

  private let state = Mutex(State())

  /// Notes that the request goes to its handler now; `false` if the exchange has ended and must stay here.
  func markDelivered() -> Bool {
    self.state.withLock { state in
      guard state.outcome == nil else { return false }
      state.isDelivered = true
      return true
    }
  }

  /// Ends the exchange, unless it has ended.
  func end(_ outcome: Outcome) {
    let waiters = self.state.withLock { state -> [CheckedContinuation<Outcome, Never>] in
      guard state.outcome == nil else { return [] }
      state.outcome = outcome
      let waiters = state.waiters
      state.waiters = []
      return waiters
    }
    for waiter in waiters { waiter.resume(returning: outcome) }
  }

  /// Ends the exchange with an error that says what is known of the delivery; returns how it ended in fact.
  @discardableResult
  func fail(_ code: TransportError.Code, _ message: String, underlying: (any Error)? = nil) -> Outcome {
    self.fail(delivered: code, notDelivered: code, message, underlying: underlying)
  }

  /// The same with a code of its own for a request that was not delivered.
  @discardableResult
  func fail(
    delivered code: TransportError.Code, notDelivered earlyCode: TransportError.Code, _ message: String,
    underlying: (any Error)? = nil
  ) -> Outcome {
    let (outcome, waiters) = self.state.withLock { state in
      if let outcome = state.outcome { return (outcome, [CheckedContinuation<Outcome, Never>]()) }
      let error =
        state.isDelivered
        ? TransportError(code, message, delivery: .unknown, underlying: underlying)
        : TransportError(earlyCode, message, delivery: .notDelivered, underlying: underlying)
      state.outcome = .failure(error)
      let waiters = state.waiters
      state.waiters = []
      return (Outcome.failure(error), waiters)
    }
    for waiter in waiters { waiter.resume(returning: outcome) }
    return outcome
  }

  /// How the exchange ends; cancelling the waiting task ends it.
  var outcome: Outcome {
    get async {
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let ready: Outcome? = self.state.withLock { state in
            if let outcome = state.outcome { return outcome }
            state.waiters.append(continuation)
            return nil
          }
          if let ready { continuation.resume(returning: ready) }
        }
      } onCancel: {
        self.fail(.cancelled, "the task of the call was cancelled")
      }
    }
  }

  /// How the exchange ends; after the limit it ends with a timeout. A limit of zero is none.
  func outcome(within limit: Duration, clock: any Clock<Duration>) async -> Outcome {
    guard limit > .zero else { return await self.outcome }
    return await withTaskGroup(of: Void.self) { group in
      group.addTask {
        do { try await clock.sleep(for: limit) } catch { return }
        self.fail(.timeout, "no answer within \(limit)")
      }
      let outcome = await self.outcome
      group.cancelAll()
      return outcome
    }
  }
}

extension InMemoryExchange {
  /// Ends the exchange with a handler's answer.
  func end(_ reply: Reply<Response>, wrap: (Response) -> RemoteError.Response) {
    if let bytes = reply.error {
      let remote = RemoteError(bytes: bytes, response: reply.response.map(wrap))
      self.end(.failure(TransportError(.remote, remote.text, delivery: .answered, remote: remote)))
    } else if let response = reply.response {
      self.end(.success(response))
    } else {
      self.end(.failure(TransportError(.malformedResponse, "an answer without a value", delivery: .answered)))
    }
  }
}
