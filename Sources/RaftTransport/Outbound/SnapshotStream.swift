import DequeModule
import NIOCore
import RaftWire
import StreamMux

/// The part of an outgoing snapshot that lives on the event loop.
final class SnapshotStream: StreamOwner {
  private enum Phase {
    case unopened
    /// The body is on its way.
    case sending(StreamKey)
    /// All was written, or the peer wants no more; its answer is awaited.
    case awaitingAnswer(StreamKey)
    case ended
  }

  /// The most that is taken of memory at once, in bytes: it only bounds how far the figures run ahead.
  private static let memoryPiece = 1 << 20

  private let upload: SnapshotUpload
  private let clock: SnapshotClock
  private var intake: MessageIntake
  private var phase = Phase.unopened
  private var written: UInt64 = 0
  private var pace: UploadPace
  /// What is still to be written of a snapshot that is in memory; `nil` behind its end, and if a task reads the source.
  private var memory: Deque<ByteBuffer>?
  private var timer: Scheduled<Void>?
  /// What had been framed when the time was last looked at.
  private var framedAtLastLook: UInt64 = 0

  init(upload: SnapshotUpload, pace: UploadPace, clock: SnapshotClock, limits: MessageLimits) {
    self.upload = upload
    self.pace = pace
    self.clock = clock
    self.intake = MessageIntake(limits: limits)
  }

  var callsInFlight: Int { 1 }

  var snapshotProgress: TransportStatistics.Snapshot? { upload.progress }

  func open(_ opening: StreamOpening, request: ByteBuffer, _ driver: ConnectionDriver) {
    do {
      let stream = try driver.open(opening, owner: self)
      driver.engine.write(request, to: stream)
      driver.engine.setLowWater(pace.lowWater, of: stream)
      phase = .sending(stream)
      arm(clock.transfer, driver)
    } catch {
      end(.failure(TransportError(error, peer: driver.peerID)), driver, code: .cancelled)
    }
  }

  // MARK: From memory

  /// Sends the whole body, which is at hand.
  func send(_ memory: [ByteBuffer], _ driver: ConnectionDriver) {
    self.memory = Deque(memory)
    writeFromMemory(driver)
  }

  /// Fills the queue. Nothing is copied, so that this only bounds how often it has to be done and how far the figures
  /// lag behind.
  private func writeFromMemory(_ driver: ConnectionDriver) {
    guard case .sending(let stream) = phase else { return }
    while memory != nil, driver.engine.queuedBytes(stream) < pace.highWater {
      guard let bytes = nextFromMemory() else { return finish(driver) }
      written += UInt64(bytes.readableBytes)
      driver.engine.write(bytes, to: stream)
      upload.wrote(total: written)
    }
  }

  private func nextFromMemory() -> ByteBuffer? {
    while let first = memory?.first {
      let length = min(first.readableBytes, Self.memoryPiece)
      if length > 0 { return memory?[0].readSlice(length: length) }
      memory?.removeFirst()
    }
    memory = nil
    return nil
  }

  // MARK: From the task that reads the source

  func write(_ bytes: ByteBuffer, _ driver: ConnectionDriver) {
    guard case .sending(let stream) = phase else { return }
    look(at: stream, driver)
    written += UInt64(bytes.readableBytes)
    driver.engine.write(bytes, to: stream)
    // Below the low-water mark there is room, and no event will say so.
    if driver.engine.queuedBytes(stream) <= pace.lowWater { upload.framed(written, pace: pace) }
  }

  /// Follows the queue as it empties.
  private func look(at stream: StreamKey, _ driver: ConnectionDriver) {
    let queued = driver.engine.queuedBytes(stream)
    pace.observe(framed: framed(stream, driver), queued: queued, now: driver.eventLoop.now.seconds)
    driver.engine.setLowWater(pace.lowWater, of: stream)
  }

  func finish(_ driver: ConnectionDriver) {
    guard case .sending(let stream) = phase else { return }
    driver.engine.finish(stream)
    awaitAnswer(stream, driver)
  }

  func sourceFailed(_ error: TransportError, _ driver: ConnectionDriver) {
    // Behind the peer's STOP it does not matter: the answer is on its way.
    guard case .sending = phase else { return }
    // RESET, never FIN: the receiver must not take what it has for the whole (R-SNAP).
    end(.failure(error), driver, code: .sourceFailed)
  }

  func cancel(_ driver: ConnectionDriver) {
    end(.failure(TransportError(.cancelled, "", delivery: delivery(driver))), driver, code: .cancelled)
  }

  // MARK: StreamOwner

  func streamWritable(_ stream: StreamKey, _ driver: ConnectionDriver) {
    look(at: stream, driver)
    upload.framed(framed(stream, driver), pace: pace)
    writeFromMemory(driver)
  }

  func streamReceived(_ bytes: ByteBuffer, _ stream: StreamKey, _ driver: ConnectionDriver) {
    intake.append(bytes)
    do {
      guard let answer = try intake.nextAnswer(InstallSnapshotResponse.self, stream, driver) else { return }
      let result = answer.message.result(of: InstallSnapshotRequest.self, from: driver.peerID)
      end(result, driver, code: .notNeeded)
    } catch {
      end(.failure(.malformedAnswer(error, peer: driver.peerID)), driver, code: .malformedMessage)
    }
  }

  func streamStopped(_ code: ErrorCode, _ stream: StreamKey, _ driver: ConnectionDriver) {
    // The receiver has seen enough; its answer is on its way.
    upload.end()
    awaitAnswer(stream, driver)
  }

  func streamFinished(_ stream: StreamKey, _ driver: ConnectionDriver) {
    let message = "server '\(driver.peerID)' ended the stream without an answer"
    end(.failure(TransportError(.streamReset, message, delivery: .unknown)), driver, code: .malformedMessage)
  }

  func streamEnded(_ end: StreamEnd, _ stream: StreamKey, _ driver: ConnectionDriver) {
    self.end(.failure(end.error(peer: driver.peerID)), driver, code: .cancelled)
  }

  // MARK: Time

  private func awaitAnswer(_ stream: StreamKey, _ driver: ConnectionDriver) {
    guard case .sending = phase else { return }
    phase = .awaitingAnswer(stream)
    memory = nil
    framedAtLastLook = framed(stream, driver)
    guard clock.answer != nil else { return }
    // What is still queued belongs to the transfer; the answer's own time begins when it has gone out.
    timer?.cancel()
    arm(driver.engine.queuedBytes(stream) > 0 ? clock.transfer : clock.answer, driver)
  }

  private func arm(_ limit: TimeAmount?, _ driver: ConnectionDriver) {
    guard let limit else { return }
    timer = driver.eventLoop.assumeIsolated().scheduleTask(in: limit) {
      self.timer = nil
      driver.perform { self.checkTime(driver) }
    }
  }

  private func checkTime(_ driver: ConnectionDriver) {
    let (stream, isSending): (StreamKey, Bool)
    switch phase {
    case .sending(let key): (stream, isSending) = (key, true)
    case .awaitingAnswer(let key): (stream, isSending) = (key, false)
    case .unopened, .ended: return
    }
    guard clock.watchesProgress else { return timeOut("the snapshot took too long", driver) }
    let framed = self.framed(stream, driver)
    let hasWork = driver.engine.queuedBytes(stream) > 0
    defer { framedAtLastLook = framed }
    if framed > framedAtLastLook || (isSending && !hasWork) {
      // It moves, or it is our own source that takes its time.
      arm(hasWork || isSending ? clock.transfer : clock.answer, driver)
    } else {
      timeOut(
        hasWork ? "no byte of the snapshot was taken" : "the snapshot was sent, but not answered", driver)
    }
  }

  private func timeOut(_ what: String, _ driver: ConnectionDriver) {
    let message = "server '\(driver.peerID)': \(what)"
    end(
      .failure(TransportError(.timeout, message, delivery: delivery(driver))), driver, code: .deadlineExceeded
    )
  }

  // MARK: The end

  private func framed(_ stream: StreamKey, _ driver: ConnectionDriver) -> UInt64 {
    // The request in front is left out of both sides of the account.
    written - min(written, UInt64(driver.engine.queuedBytes(stream)))
  }

  private func delivery(_ driver: ConnectionDriver) -> TransportError.Delivery {
    switch phase {
    case .unopened, .ended: .notDelivered
    case .sending(let stream), .awaitingAnswer(let stream):
      driver.engine.hasReachedWire(stream) ? .unknown : .notDelivered
    }
  }

  private func end(
    _ result: Result<InstallSnapshotResponse, TransportError>, _ driver: ConnectionDriver, code: ErrorCode
  ) {
    if case .ended = phase { return }
    if !driver.services.environment.has(.leavesSnapshotTimer) { timer?.cancel() }
    timer = nil
    switch phase {
    case .sending(let stream), .awaitingAnswer(let stream):
      // Without an answer the snapshot is worth nothing: RESET, so that no receiver takes it for sent (R-SNAP-18).
      if case .failure(let error) = result, error.delivery != .answered {
        driver.engine.reset(stream, code: code)
      }
      driver.release(stream, code: code)
    case .unopened, .ended: break
    }
    phase = .ended
    memory = nil
    upload.streamEnded()
    upload.result.complete(result)
  }
}

/// The times that one snapshot may take; see ``SnapshotDeadline``.
struct SnapshotClock: Sendable, Hashable {
  /// While bytes go out: a bound on the pauses if progress is watched, else on all of it.
  let transfer: TimeAmount?
  /// From the last byte to the answer; `nil` if the first time bounds it, too.
  let answer: TimeAmount?
  let watchesProgress: Bool

  init(_ deadline: SnapshotDeadline, size: Int64, timeout: Duration) {
    switch deadline.rule {
    case .progress(let stall, let restore):
      transfer = TimeAmount(stall)
      answer = TimeAmount(restore)
      watchesProgress = true
    case .upstream(let timeoutScale):
      let whole = SnapshotDeadline.upstreamDeadline(timeout: timeout, size: size, timeoutScale: timeoutScale)
      transfer = timeout > .zero ? TimeAmount(whole) : nil
      answer = nil
      watchesProgress = false
    case .none:
      transfer = nil
      answer = nil
      watchesProgress = false
    }
  }
}
