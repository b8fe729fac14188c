import DequeModule
import NIOCore
import StreamMux
import Synchronization

/// Carries the raw bytes of an incoming snapshot from the event loop to the task that reads them.
///
/// Memory is bounded by the stream's window: bytes count as consumed, so that the peer may send more, when the reader
/// has taken them.
final class BodyPipe: Sendable {
  private enum Ending {
    case finished
    case failed(TransportError)
  }

  private struct State {
    var pieces = Deque<ByteBuffer>()
    var ending: Ending?
    var waiter: CheckedContinuation<ByteBuffer?, any Error>?
    var isAbandoned = false
  }

  private let state = Mutex(State())
  private let consumed: @Sendable (Int) -> Void

  /// - Parameter consumed: Told how many bytes were taken, from the reader's task.
  init(consumed: @escaping @Sendable (Int) -> Void) {
    self.consumed = consumed
  }

  /// Puts bytes in; after the end, or once nobody reads any more, they are consumed at once.
  func push(_ bytes: ByteBuffer) {
    enum Outcome {
      case kept
      case resume(CheckedContinuation<ByteBuffer?, any Error>)
      case dropped
    }
    let outcome: Outcome = state.withLock { state in
      if state.isAbandoned || state.ending != nil { return .dropped }
      if let waiter = state.waiter.take() { return .resume(waiter) }
      state.pieces.append(bytes)
      return .kept
    }
    switch outcome {
    case .kept:
      break
    case .resume(let waiter):
      waiter.resume(returning: bytes)
    case .dropped:
      consumed(bytes.readableBytes)
    }
  }

  /// No more bytes come; the reader gets what is here and then the end.
  func finish() {
    end(.finished)
  }

  /// No more bytes come; the reader gets what is here and then the error.
  func fail(_ error: TransportError) {
    end(.failed(error))
  }

  /// What is here and what comes is dropped: a reader that is not at the end yet gets the error, never an end that
  /// would look like that of a whole snapshot (R-SNAP-18).
  func abandon(_ error: TransportError) {
    let (dropped, waiter) = state.withLock { state in
      let dropped = state.pieces.reduce(0) { $0 + $1.readableBytes }
      let isWhole: Bool = if case .finished = state.ending { dropped == 0 } else { false }
      state.isAbandoned = true
      state.pieces = []
      if !isWhole { state.ending = .failed(error) }
      return (dropped, state.waiter.take())
    }
    if dropped > 0 { consumed(dropped) }
    waiter?.resume(throwing: error)
  }

  /// Whether bytes are at hand.
  var isReady: Bool { state.withLock { !$0.pieces.isEmpty } }

  private func end(_ ending: Ending) {
    let waiter = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
      guard state.ending == nil else { return nil }
      state.ending = ending
      return state.waiter.take()
    }
    switch ending {
    case .finished: waiter?.resume(returning: nil)
    case .failed(let error): waiter?.resume(throwing: error)
    }
  }
}

extension BodyPipe: AsyncSequence {
  func makeAsyncIterator() -> Iterator {
    Iterator(pipe: self)
  }

  struct Iterator: AsyncIteratorProtocol {
    let pipe: BodyPipe

    func next() async throws -> ByteBuffer? {
      try await pipe.next()
    }

    func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
      try await pipe.next()
    }
  }

  /// Waits for the next bytes.
  private func next() async throws -> ByteBuffer? {
    let bytes: ByteBuffer? = try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome: Result<ByteBuffer?, any Error>? = state.withLock { state in
          if let piece = state.pieces.popFirst() { return .success(piece) }
          switch state.ending {
          case .finished: return .success(nil)
          case .failed(let error): return .failure(error)
          case nil: break
          }
          // The flag is set before the handler below runs, so one of the two sees the other.
          if Task.isCancelled { return .failure(CancellationError()) }
          if state.waiter != nil { return .failure(SnapshotBody.readTwice) }
          state.waiter = continuation
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      state.withLock { $0.waiter.take() }?.resume(throwing: CancellationError())
    }
    if let bytes { consumed(bytes.readableBytes) }
    return bytes
  }
}
