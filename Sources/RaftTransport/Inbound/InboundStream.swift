import Logging
import NIOCore
import RaftWire
import StreamMux

/// Serves one stream of a peer: requests in, answers out in their order, as a connection of hashicorp/raft's
/// transport does it.
final class InboundStream: StreamOwner {
  private enum Phase {
    /// Requests are read.
    case requests
    /// The raw bytes behind an InstallSnapshot request are read.
    case body(IncomingSnapshot)
    /// Nothing more is read; what was asked is still answered, and then our half ends, with a code where the peer
    /// did something wrong.
    case halted(ErrorCode?)
    /// All is answered; our half ends with a code once the answers are on the wire.
    case ending(ErrorCode)
    /// The stream is gone; only handlers that run keep it here.
    case over
  }

  private let opening: StreamOpening
  private let services: InboundServices
  private let origin: IncomingRPC.Origin
  private let link: Link
  /// What runs for the peer; held by the responders as well.
  private let load: PeerLoad
  private var intake: MessageIntake
  private var answers = AnswerQueue()
  private var phase = Phase.requests
  private var peerHasFinished = false
  /// Whether the connection is drained: no request is taken behind one that was answered.
  private var isDraining = false
  private var hasAnswered = false
  /// Whether requests wait until other handlers of the peer have ended.
  private var isHeldBack = false
  /// Whether requests wait until the peer has taken answers to those before them (R-LIM-17).
  private var waitsForReader = false

  /// Bytes of answers that wait to be sent beyond which nothing more is asked of a handler.
  private static let mostQueuedAnswers = 64 * 1_024

  init(opening: StreamOpening, services: InboundServices, driver: ConnectionDriver) {
    self.opening = opening
    self.services = services
    self.origin = driver.origin
    self.link = driver.link
    self.load = driver.load
    self.intake = MessageIntake(limits: services.messageLimits)
  }

  // MARK: From the peer

  func streamReceived(_ bytes: ByteBuffer, _ stream: StreamKey, _ driver: ConnectionDriver) {
    switch phase {
    case .requests:
      intake.append(bytes)
      readRequests(stream, driver)
    case .body(let snapshot):
      intake.append(bytes)
      readBody(snapshot, stream, driver)
    case .halted, .ending, .over:
      driver.engine.consume(bytes.readableBytes, of: stream)
    }
  }

  func streamFinished(_ stream: StreamKey, _ driver: ConnectionDriver) {
    peerHasFinished = true
    if case .body(let snapshot) = phase { snapshot.peerFinished() }
    concludeIfDone(stream, driver)
  }

  func streamStopped(_ code: ErrorCode, _ stream: StreamKey, _ driver: ConnectionDriver) {
    // Nobody wants the answers; the requests that were dispatched are still handled.
    endEarly(code, stream, driver)
  }

  func streamEnded(_ end: StreamEnd, _ stream: StreamKey, _ driver: ConnectionDriver) {
    waitNoMore(stream)
    if case .body(let snapshot) = phase { snapshot.peerVanished(end.error(peer: origin.id)) }
    phase = .over
    driver.engine.reset(stream, code: .cancelled)
    if services.environment.has(.losesCreditAtReset) { return }
    releaseIfIdle(stream, driver)
  }

  func connectionDraining(_ stream: StreamKey, _ driver: ConnectionDriver) {
    isDraining = true
    haltIfDrained(stream, driver)
  }

  /// A pipeline would go on for ever; a stream whose first request is still on its way, or under way, is one call,
  /// which comes to its end by itself (R-DRN-7).
  private func haltIfDrained(_ stream: StreamKey, _ driver: ConnectionDriver) {
    guard isDraining, hasAnswered, case .requests = phase else { return }
    halt(nil, saying: .shutdown, stream, driver)
  }

  private func halt(
    _ fault: ErrorCode?, saying code: ErrorCode, _ stream: StreamKey, _ driver: ConnectionDriver
  ) {
    phase = .halted(fault)
    waitNoMore(stream)
    if !peerHasFinished { driver.engine.stop(stream, code: code) }
    concludeIfDone(stream, driver)
  }

  // MARK: Requests

  private var lane: TrafficClass { opening.trafficClass }

  /// A handler may begin that had to wait for others of the peer to end.
  func readOn(_ stream: StreamKey, _ driver: ConnectionDriver) {
    isHeldBack = false
    readRequests(stream, driver)
    // If it has nothing to ask for any more, those behind it must not wait for it.
    if !isHeldBack { load.forget(.init(link: link, stream: stream), lane) }
    concludeIfDone(stream, driver)
  }

  private func readRequests(_ stream: StreamKey, _ driver: ConnectionDriver) {
    while case .requests = phase, answers.count < services.unansweredRequestsPerStream {
      guard !isHeldBack, !waitsForReader, intake.pendingBytes > 0 else { return }
      guard driver.engine.queuedBytes(stream) <= Self.mostQueuedAnswers else {
        waitsForReader = true
        driver.engine.setLowWater(Self.mostQueuedAnswers, of: stream)
        return
      }
      guard load.hasRoom(for: lane, orTell: .init(link: link, stream: stream)) else {
        isHeldBack = true
        return
      }
      do {
        guard let request = try intake.nextCommand(stream, driver) else { return }
        dispatch(request, stream)
      } catch {
        services.counters.add(\.unreadableRequests)
        services.peerLog.log(
          .unreadableRequest, .warning, "a peer sent a request that cannot be read; its stream is ended",
          metadata: ["peer": "\(origin.id)", "error": "\(error)"], to: services.logger)
        let isTooLarge = error.code == .messageTooLarge || error.code == .tooManyElements
        let code: ErrorCode = isTooLarge ? .messageTooLarge : .malformedMessage
        return halt(code, saying: code, stream, driver)
      }
      if case .body(let snapshot) = phase { readBody(snapshot, stream, driver) }
    }
  }

  private func dispatch(_ request: MessageIntake.Sized<WireCommand>, _ stream: StreamKey) {
    let number = answers.addRequest(byteCount: request.byteCount)
    var weight = PeerLoad.weight(entryCount: 0)
    if case .appendEntries(let message) = request.message {
      weight = PeerLoad.weight(entryCount: message.entries?.count ?? 0)
    }
    load.begin(lane, weight: weight)
    let command: IncomingRPC.Command
    switch request.message {
    case .appendEntries(let message):
      command = .appendEntries(message, responder(number, stream, weight: weight))
    case .requestVote(let message):
      command = .requestVote(message, responder(number, stream))
    case .requestPreVote(let message):
      command = .requestPreVote(message, responder(number, stream))
    case .timeoutNow(let message):
      command = .timeoutNow(message, responder(number, stream))
    case .installSnapshot(let message):
      let snapshot = IncomingSnapshot(
        size: message.size, encoding: opening.encoding, request: number, peer: origin.id, stream: stream,
        link: link, environment: services.environment)
      phase = .body(snapshot)
      command = .installSnapshot(message, snapshot.body, responder(number, stream))
    }
    services.dispatch(IncomingRPC(command: command, origin: origin))
  }

  /// The responder of one request: it encodes where the handler runs and leaves the rest to the event loop.
  @specialized(where Response == AppendEntriesResponse)
  private func responder<Response: WireResponse>(
    _ request: UInt64, _ stream: StreamKey, weight: Int = PeerLoad.weight(entryCount: 0)
  ) -> Responder<Response> {
    let (link, encoder, logger) = (link, services.encoder, services.logger)
    let (load, lane) = (load, lane)
    return Responder { reply in
      load.end(lane, weight: weight)
      let bytes = encoder.encoded(reply, logger: logger)
      link.send(.answer(stream, request: request, bytes))
    }
  }

  // MARK: Answers

  /// A handler has answered.
  func answer(request: UInt64, _ bytes: ByteBuffer, _ stream: StreamKey, _ driver: ConnectionDriver) {
    let isOrderly = !services.environment.has(.doublesAnswers)
    answers.fulfil(request, with: bytes)
    while let ready = answers.popReady() {
      driver.engine.write(isOrderly ? ready.answer : bytes, to: stream)
      if !services.environment.has(.losesRequestCredit) {
        driver.engine.consume(ready.requestBytes, of: stream)
      }
      hasAnswered = true
    }
    switch phase {
    case .over:
      releaseIfIdle(stream, driver)
    case .body(let snapshot) where snapshot.request == request:
      finishSnapshot(snapshot, stream, driver)
    case .requests, .body, .halted, .ending:
      haltIfDrained(stream, driver)
      readRequests(stream, driver)
      concludeIfDone(stream, driver)
    }
  }

  // MARK: Snapshots

  private func readBody(_ snapshot: IncomingSnapshot, _ stream: StreamKey, _ driver: ConnectionDriver) {
    let window = driver.engine.receiveWindow(of: stream)
    var consumed = 0
    while let bytes = intake.nextRawBytes(atMost: snapshot.bytesWanted) {
      consumed += snapshot.received(bytes, window: window)
    }
    driver.engine.consume(consumed, of: stream)
    if peerHasFinished { snapshot.peerFinished() }
  }

  /// The handler has answered the snapshot, perhaps before it read all of it.
  private func finishSnapshot(
    _ snapshot: IncomingSnapshot, _ stream: StreamKey, _ driver: ConnectionDriver
  ) {
    driver.engine.consume(snapshot.pipe.abandon(.bodyNotWanted), of: stream)
    if snapshot.isComplete && opening.encoding == .plain && !isDraining {
      // As on a connection of the old protocol, another request may follow.
      phase = .requests
      readRequests(stream, driver)
    } else {
      return halt(nil, saying: .notNeeded, stream, driver)
    }
    concludeIfDone(stream, driver)
  }

  // MARK: The end

  private func waitNoMore(_ stream: StreamKey) {
    guard isHeldBack else { return }
    isHeldBack = false
    load.forget(.init(link: link, stream: stream), lane)
  }

  /// Ends our half once everything that was asked is answered and nothing more can be asked.
  private func concludeIfDone(_ stream: StreamKey, _ driver: ConnectionDriver) {
    guard answers.isEmpty else { return }
    switch phase {
    case .halted(nil):
      driver.engine.finish(stream)
    case .halted(let fault?):
      return endBehindAnswers(fault, stream, driver)
    case .requests where peerHasFinished && !isHeldBack && !waitsForReader:
      guard intake.pendingBytes == 0 else {
        services.logger.debug("a stream ended inside a request", metadata: ["peer": "\(origin.id)"])
        return endBehindAnswers(.malformedMessage, stream, driver)
      }
      driver.engine.finish(stream)
    case .requests, .body, .ending, .over:
      return
    }
    driver.release(stream)
  }

  /// Ends our half with a code, but not at the cost of answers that wait for their turn: those a reset would drop
  /// (R-PAY-48, R-PAY-51).
  private func endBehindAnswers(_ fault: ErrorCode, _ stream: StreamKey, _ driver: ConnectionDriver) {
    phase = .ending(fault)
    driver.engine.setLowWater(0, of: stream)
    resetIfSent(fault, stream, driver)
  }

  private func resetIfSent(_ fault: ErrorCode, _ stream: StreamKey, _ driver: ConnectionDriver) {
    guard driver.engine.queuedBytes(stream) == 0 else { return }
    phase = .over
    driver.engine.reset(stream, code: fault)
    driver.release(stream)
  }

  /// The peer has taken answers.
  func streamWritable(_ stream: StreamKey, _ driver: ConnectionDriver) {
    if case .ending(let fault) = phase { return resetIfSent(fault, stream, driver) }
    guard waitsForReader else { return }
    waitsForReader = false
    readRequests(stream, driver)
    concludeIfDone(stream, driver)
  }

  private func endEarly(_ code: ErrorCode, _ stream: StreamKey, _ driver: ConnectionDriver) {
    if case .body(let snapshot) = phase {
      driver.engine.consume(snapshot.pipe.abandon(.bodyNotWanted), of: stream)
    }
    phase = .over
    waitNoMore(stream)
    driver.engine.reset(stream, code: code)
    driver.engine.stop(stream, code: code)
    releaseIfIdle(stream, driver)
  }

  /// Gives the stream back, and with it the peer's stream credit, when no handler works for it any more (R-STR).
  private func releaseIfIdle(_ stream: StreamKey, _ driver: ConnectionDriver) {
    if answers.isEmpty { driver.release(stream) }
  }
}

extension TransportError {
  /// What a reader gets of a body that will not come any more because the call is over.
  fileprivate static var bodyNotWanted: TransportError {
    TransportError(.snapshotCut, "the call that brought the snapshot is over", delivery: .answered)
  }
}
