import NIOCore
import RaftWire
import StreamMux

/// The part of a pipeline that lives on the event loop: writes requests, reads answers, watches the time.
final class AppendStream: StreamOwner {
  private let pipeline: PipelineCore
  private let timeout: TimeAmount?
  private var intake: MessageIntake
  private var stream: StreamKey?
  /// Requests that were written and have no answer yet.
  private var unanswered = 0
  /// When the next answer is due.
  private(set) var deadline: NIODeadline?
  private var isPeerDraining = false

  init(pipeline: PipelineCore, limits: MessageLimits, timeout: TimeAmount?) {
    self.pipeline = pipeline
    self.timeout = timeout
    self.intake = MessageIntake(limits: limits)
  }

  var callsInFlight: Int { unanswered }

  func open(_ opening: StreamOpening, _ driver: ConnectionDriver) {
    do {
      stream = try driver.open(opening, owner: self)
    } catch {
      pipeline.fail(TransportError(error, peer: driver.peerID))
      pipeline.streamEnded()
    }
  }

  func send(_ request: ByteBuffer, _ driver: ConnectionDriver) {
    guard let stream else { return }
    driver.engine.write(request, to: stream)
    unanswered += 1
    if unanswered == 1 { expectAnswer(driver) }
  }

  func close(_ driver: ConnectionDriver) {
    end(driver, code: .cancelled)
  }

  // MARK: StreamOwner

  func streamReceived(_ bytes: ByteBuffer, _ stream: StreamKey, _ driver: ConnectionDriver) {
    intake.append(bytes)
    readAnswers(driver)
  }

  /// The consumer has made room: what held the answers back was not the peer, whose time begins anew.
  func consumerMadeRoom(_ driver: ConnectionDriver) {
    expectAnswer(driver)
    readAnswers(driver)
  }

  /// Reads as many answers as the consumer leaves room for.
  func readAnswers(_ driver: ConnectionDriver) {
    var allowance = pipeline.readAllowance
    while allowance > 0, let stream {
      var results: [Result<AppendEntriesResponse, TransportError>] = []
      do {
        while results.count < allowance,
          let answer = try intake.nextAnswer(AppendEntriesResponse.self, stream, driver)
        {
          driver.engine.consume(answer.byteCount, of: stream)
          results.append(answer.message.result(of: AppendEntriesRequest.self, from: driver.peerID))
        }
      } catch {
        deliver(results, driver)
        return fail(.malformedAnswer(error, peer: driver.peerID), driver, code: .malformedMessage)
      }
      let wasFilled = results.count == allowance
      // The consumer may have made room meanwhile. It says so only where there was none: whoever read up to an older
      // allowance has to look again.
      allowance = deliver(results, driver)
      if !wasFilled { return }
    }
  }

  func streamStopped(_ code: ErrorCode, _ stream: StreamKey, _ driver: ConnectionDriver) {
    let message = "server '\(driver.peerID)' takes no further requests on this pipeline: \(code)"
    pipeline.refuseRequests(TransportError(.pipelineClosed, message, delivery: .notDelivered))
  }

  func streamFinished(_ stream: StreamKey, _ driver: ConnectionDriver) {
    let message = "server '\(driver.peerID)' ended the pipeline"
    fail(TransportError(.streamReset, message, delivery: .unknown), driver, code: .cancelled)
  }

  func streamEnded(_ end: StreamEnd, _ stream: StreamKey, _ driver: ConnectionDriver) {
    fail(end.error(peer: driver.peerID), driver, code: .cancelled)
  }

  func connectionDraining(_ stream: StreamKey, _ driver: ConnectionDriver) {
    fail(streamsClosed(driver.peerID), driver, code: .shutdown)
  }

  func peerDraining(_ stream: StreamKey, _ driver: ConnectionDriver) {
    isPeerDraining = true
    pipeline.refuseRequests(streamsClosed(driver.peerID))
    endIfDrained(driver)
  }

  /// Where the peer drains, the pipeline ends when everything that was sent is answered.
  private func endIfDrained(_ driver: ConnectionDriver) {
    guard isPeerDraining, unanswered == 0 else { return }
    fail(streamsClosed(driver.peerID), driver, code: .shutdown)
  }

  private func streamsClosed(_ peer: ServerID) -> TransportError {
    TransportError(.pipelineClosed, "the streams to server '\(peer)' were closed", delivery: .unknown)
  }

  // MARK: Answers and time

  /// Hands answers on; answers how many more may be read.
  @discardableResult
  private func deliver(
    _ results: [Result<AppendEntriesResponse, TransportError>], _ driver: ConnectionDriver
  ) -> Int {
    guard !results.isEmpty else { return 0 }
    unanswered -= results.count
    guard let allowance = pipeline.received(results) else {
      let message = "server '\(driver.peerID)' answered more than it was asked"
      let error = TransportError(.malformedResponse, message, delivery: .answered)
      fail(error, driver, code: .malformedMessage)
      return 0
    }
    expectAnswer(driver)
    endIfDrained(driver)
    return allowance
  }

  /// Upstream's read deadline: it starts anew when an answer becomes the next one to come.
  private func expectAnswer(_ driver: ConnectionDriver) {
    guard let timeout, unanswered > 0 else {
      deadline = nil
      return
    }
    let deadline = driver.eventLoop.now + timeout
    self.deadline = deadline
    driver.expect(before: deadline)
  }

  func deadlinePassed(_ stream: StreamKey, _ driver: ConnectionDriver) {
    // What has come and waits for the consumer is not the peer's fault.
    let isHeldBack = pipeline.readAllowance == 0
    if isHeldBack { return expectAnswer(driver) }
    let message = "server '\(driver.peerID)' has not answered a pipelined request in time"
    fail(TransportError(.timeout, message, delivery: .unknown), driver, code: .deadlineExceeded)
  }

  private func fail(_ error: TransportError, _ driver: ConnectionDriver, code: ErrorCode) {
    pipeline.fail(error)
    end(driver, code: code)
  }

  private func end(_ driver: ConnectionDriver, code: ErrorCode) {
    guard let stream else { return }
    self.stream = nil
    pipeline.streamEnded()
    driver.release(stream, code: code)
  }
}
