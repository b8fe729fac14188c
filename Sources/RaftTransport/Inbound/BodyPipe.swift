import NIOCore
import RaftWire
import StreamMux
import Synchronization

/// Carries the raw bytes of an incoming snapshot from the event loop to the task that reads them.
///
/// Memory is bounded by the stream's window: bytes count as consumed, so that the peer may send more, when the reader
/// has taken them. The count goes back to the event loop in lots: with the next bytes that are put in, which costs
/// nothing, or by a wake-up of its own when a good part of the window is taken and nothing came meanwhile.
final class BodyPipe: Sendable {
  private enum Ending {
    case finished
    case failed(TransportError)
  }

  private struct State {
    var pieces = PieceQueue()
    var ending: Ending?
    var waiter: CheckedContinuation<ByteBuffer?, any Error>?
    var isAbandoned = false
    /// Bytes that the reader has taken and the event loop does not know of.
    var unreported = 0
    /// With so many of them the event loop is woken.
    var reportThreshold: Int

    /// Notes that bytes were taken.
    ///
    /// - Returns: How many to tell the event loop of now.
    mutating func take(_ count: Int) -> Int {
      unreported += count
      // Once the bytes have ended, nothing that is put in will ask for the count.
      return unreported >= reportThreshold || ending != nil ? takeReport() : 0
    }

    mutating func takeReport() -> Int {
      defer { unreported = 0 }
      return unreported
    }
  }

  private let state: Mutex<State>
  private let consumed: @Sendable (Int) -> Void

  /// - Parameters:
  ///   - reportThreshold: Bytes that the reader may take before the event loop is woken to hear of them.
  ///   - consumed: Told how many bytes were taken, from the reader's task.
  init(reportThreshold: Int = 0, consumed: @escaping @Sendable (Int) -> Void) {
    self.state = Mutex(State(reportThreshold: reportThreshold))
    self.consumed = consumed
  }

  /// Puts bytes in; after the end, or once nobody reads any more, they are consumed at once.
  ///
  /// - Parameter reportThreshold: Bytes that the reader may take from now on before the event loop is woken.
  /// - Returns: How many bytes were consumed that no report has told of.
  func push(_ bytes: ByteBuffer, reportThreshold: Int = 0) -> Int {
    let (report, waiter) = state.withLock { state in
      state.reportThreshold = reportThreshold
      if state.isAbandoned || state.ending != nil {
        state.unreported += bytes.readableBytes
        return (state.takeReport(), nil as CheckedContinuation<ByteBuffer?, any Error>?)
      }
      if let waiter = state.waiter.take() {
        state.unreported += bytes.readableBytes
        return (state.takeReport(), waiter)
      }
      state.pieces.append(bytes)
      return (state.takeReport(), nil)
    }
    waiter?.resume(returning: bytes)
    return report
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
  ///
  /// - Returns: How many bytes were consumed, those that were dropped among them, that no report has told of.
  func abandon(_ error: TransportError) -> Int {
    let (report, waiter) = state.withLock { state in
      let dropped = state.pieces.count
      let isWhole: Bool = if case .finished = state.ending { dropped == 0 } else { false }
      state.isAbandoned = true
      state.pieces.removeAll()
      state.unreported += dropped
      if !isWhole { state.ending = .failed(error) }
      return (state.takeReport(), state.waiter.take())
    }
    waiter?.resume(throwing: error)
    return report
  }

  /// Whether bytes are at hand.
  var isReady: Bool { state.withLock { !$0.pieces.isEmpty } }

  private func end(_ ending: Ending) {
    let (waiter, report) = state.withLock { state -> (CheckedContinuation<ByteBuffer?, any Error>?, Int) in
      guard state.ending == nil else { return (nil, 0) }
      state.ending = ending
      return (state.waiter.take(), state.takeReport())
    }
    if report > 0 { consumed(report) }
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

  /// What a reader finds without waiting.
  private enum AtHand {
    case piece(ByteBuffer, report: Int)
    case ending(Ending)
    case nothing
  }

  private func takeAtHand(_ state: inout State) -> AtHand {
    if let piece = state.pieces.popFirst() { return .piece(piece, report: state.take(piece.readableBytes)) }
    return state.ending.map { .ending($0) } ?? .nothing
  }

  /// Waits for the next bytes.
  private nonisolated(nonsending) func next() async throws -> ByteBuffer? {
    // Most of the time there is something, and then nothing has to be set up for waiting.
    switch state.withLock({ takeAtHand(&$0) }) {
    case .piece(let piece, let report):
      if report > 0 { consumed(report) }
      return piece
    case .ending(.finished):
      return nil
    case .ending(.failed(let error)):
      throw error
    case .nothing:
      return try await waitForNext()
    }
  }

  private nonisolated(nonsending) func waitForNext() async throws -> ByteBuffer? {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let (outcome, report) = state.withLock { state -> (Result<ByteBuffer?, any Error>?, Int) in
          switch takeAtHand(&state) {
          case .piece(let piece, let report): return (.success(piece), report)
          case .ending(.finished): return (.success(nil), 0)
          case .ending(.failed(let error)): return (.failure(error), 0)
          case .nothing: break
          }
          // The flag is set before the handler below runs, so one of the two sees the other.
          if Task.isCancelled { return (.failure(CancellationError()), 0) }
          if state.waiter != nil { return (.failure(SnapshotBody.readTwice), 0) }
          state.waiter = continuation
          return (nil, 0)
        }
        if report > 0 { consumed(report) }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      state.withLock { $0.waiter.take() }?.resume(throwing: CancellationError())
    }
  }
}
