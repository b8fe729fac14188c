import NIOCore
import RaftWire
import StreamMux

/// One request and its answer, on a stream of their own.
///
/// The object is made by the caller's task; everything but ``result`` is then confined to the connection's event
/// loop.
final class UnaryCall<Request: RaftRequest>: StreamOwner {
  private enum State {
    case unopened
    case open(StreamKey)
    case ended
  }

  private let result: CallResult<Request.Answer>
  private var intake: MessageIntake
  private var state = State.unopened
  private(set) var deadline: NIODeadline?

  private init(result: CallResult<Request.Answer>, limits: MessageLimits) {
    self.result = result
    self.intake = MessageIntake(limits: limits)
  }

  /// Sends a request on a connection and waits for the answer.
  ///
  /// - Parameter deadline: When the call ends with `timeout`; `nil` for never.
  static func run(
    _ request: Request, on link: Link, peer: ServerID, group: UInt64, encoder: WireEncoder,
    limits: MessageLimits, deadline: NIODeadline?
  ) async throws -> Request.Answer {
    let bytes = try encoder.encoded(request)
    let opening = StreamOpening(trafficClass: request.trafficClass, encoding: .plain, group: group)
    let result = CallResult<Request.Answer>()
    let handle = LoopHandle<UnaryCall<Request>>(eventLoop: link.eventLoop)
    let isSent = link.send(
      .perform { driver in
        let call = UnaryCall(result: result, limits: limits)
        handle.value = call
        call.start(bytes, opening, deadline, driver)
      })
    if !isSent { throw TransportError.connectionGone(peer) }
    return try await result.value {
      link.send(.perform { driver in handle.value?.cancel(driver) })
    }
  }

  var callsInFlight: Int { 1 }

  private func start(
    _ request: ByteBuffer, _ opening: StreamOpening, _ deadline: NIODeadline?, _ driver: ConnectionDriver
  ) {
    do {
      let stream = try driver.open(opening, owner: self)
      driver.engine.write(request, to: stream)
      driver.engine.finish(stream)
      state = .open(stream)
      self.deadline = deadline
      if let deadline { driver.expect(before: deadline) }
    } catch {
      state = .ended
      result.complete(.failure(TransportError(error, peer: driver.peerID)))
    }
  }

  func streamReceived(_ bytes: ByteBuffer, _ stream: StreamKey, _ driver: ConnectionDriver) {
    intake.append(bytes)
    do {
      guard let answer = try intake.nextAnswer(Request.Answer.self, stream, driver) else { return }
      end(answer.message.result(of: Request.self, from: driver.peerID), driver, code: .notNeeded)
    } catch {
      end(.failure(.malformedAnswer(error, peer: driver.peerID)), driver, code: .malformedMessage)
    }
  }

  func streamFinished(_ stream: StreamKey, _ driver: ConnectionDriver) {
    let message = "server '\(driver.peerID)' ended the stream without an answer"
    end(
      .failure(TransportError(.streamReset, message, delivery: .unknown)), driver, code: .malformedMessage)
  }

  func streamEnded(_ end: StreamEnd, _ stream: StreamKey, _ driver: ConnectionDriver) {
    self.end(.failure(end.error(peer: driver.peerID)), driver, code: .cancelled)
  }

  private func cancel(_ driver: ConnectionDriver) {
    if driver.services.environment.has(.ignoresCancellation) { return }
    end(.failure(TransportError(.cancelled, "", delivery: delivery(driver))), driver, code: .cancelled)
  }

  func deadlinePassed(_ stream: StreamKey, _ driver: ConnectionDriver) {
    let message = "server '\(driver.peerID)' has not answered in time"
    let error = TransportError(.timeout, message, delivery: delivery(driver))
    end(.failure(error), driver, code: .deadlineExceeded)
  }

  private func delivery(_ driver: ConnectionDriver) -> TransportError.Delivery {
    guard case .open(let stream) = state, !driver.services.environment.has(.claimsNotDelivered) else {
      return .notDelivered
    }
    return driver.engine.hasReachedWire(stream) ? .unknown : .notDelivered
  }

  private func end(
    _ outcome: Result<Request.Answer, TransportError>, _ driver: ConnectionDriver, code: ErrorCode
  ) {
    guard case .open(let stream) = state else { return }
    state = .ended
    // What is still queued of a request that nobody waits for any more is not worth sending.
    if case .failure(let error) = outcome, error.delivery != .answered {
      driver.engine.reset(stream, code: code)
    }
    driver.release(stream, code: code)
    result.complete(outcome)
  }
}
