import DequeModule
import NIOCore
import RaftWire

/// A pipeline to an old peer, on a connection of its own: writes requests, reads answers, watches the time.
///
/// Confined to the event loop; ``ClassicWire`` is what other threads hold of it.
final class ClassicAppendStream: ClassicExchange {
  private enum State {
    case waiting(opened: CallResult<PipelineCore>)
    case open(ClassicConnection)
    case ended
  }

  let target: DialTarget
  private let caller: ClassicCaller
  private let pipeline: PipelineCore
  private let timeout: TimeAmount?
  private var assembler: MessageAssembler
  private var state: State
  /// Requests that were written and have no answer yet.
  private var unanswered = 0
  /// Whether the streams are being closed.
  private var isClosing = false
  private var isReading = true
  /// When the next answer is due.
  private var deadline: NIODeadline?
  private var timer: Scheduled<Void>?
  private var connectTimer: Scheduled<Void>?

  init(
    pipeline: PipelineCore, target: DialTarget, caller: ClassicCaller, limits: MessageLimits,
    timeout: TimeAmount?, opened: CallResult<PipelineCore>
  ) {
    self.pipeline = pipeline
    self.target = target
    self.caller = caller
    self.timeout = timeout
    assembler = MessageAssembler(limits: limits)
    state = .waiting(opened: opened)
  }

  /// Opens a pipeline to an old peer, on a pooled connection if there is one.
  ///
  /// - Parameters:
  ///   - depth: `maxRPCsInFlight`, at least 2.
  ///   - timeout: The longest wait for each answer once it is the next to come; `nil` for no limit.
  ///   - deadline: Until when there has to be a connection.
  static func open(
    to target: DialTarget, on peers: OldPeerDirectory, depth: Int, timeout: TimeAmount?,
    deadline: NIODeadline?
  ) async throws -> PipelineCore {
    let handle = LoopHandle<ClassicAppendStream>(eventLoop: peers.eventLoop)
    let core = PipelineCore(
      on: ClassicWire(eventLoop: peers.eventLoop, stream: handle), depth: depth, encoder: peers.encoder)
    let opened = CallResult<PipelineCore>()
    peers.perform { caller in
      let stream = ClassicAppendStream(
        pipeline: core, target: target, caller: caller, limits: peers.limits, timeout: timeout, opened: opened
      )
      handle.value = stream
      stream.start(deadline)
    }
    return try await opened.value {
      peers.perform { _ in
        handle.value?.giveUpWaiting(TransportError(.cancelled, "", delivery: .notDelivered))
      }
    }
  }

  private func start(_ deadline: NIODeadline?) {
    if let deadline {
      connectTimer = caller.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
        let message = "no connection to \(self.target.name) in time"
        self.giveUpWaiting(TransportError(.timeout, message, delivery: .notDelivered))
      }
    }
    caller.start(self)
  }

  private func giveUpWaiting(_ error: TransportError) {
    guard case .waiting = state else { return }
    failed(error)
  }

  var callsInFlight: Int { unanswered }

  // MARK: From the users

  func send(_ requests: [ByteBuffer]) {
    guard case .open(let connection) = state else { return }
    let isFirst = unanswered == 0
    for request in requests { connection.write(request) }
    unanswered += requests.count
    if isFirst { expectAnswer() }
    connection.flush()
  }

  /// The consumer has made room: what held the answers back was not the peer, whose time begins anew.
  func consumerMadeRoom() {
    guard case .open(let connection) = state else { return }
    expectAnswer()
    readAnswers(connection)
  }

  func close() {
    if case .open(let connection) = state { end(connection) }
  }

  // MARK: ClassicExchange

  func begin(on connection: ClassicConnection) {
    guard case .waiting(let opened) = state else { return connection.giveBack() }
    connectTimer?.cancel()
    state = .open(connection)
    opened.complete(.success(pipeline))
  }

  func failed(_ error: TransportError) {
    guard case .waiting(let opened) = state else { return }
    connectTimer?.cancel()
    state = .ended
    pipeline.fail(error)
    pipeline.streamEnded()
    opened.complete(.failure(error))
  }

  func received(_ bytes: ByteBuffer, _ connection: ClassicConnection) {
    assembler.append(bytes)
    readAnswers(connection)
  }

  func ended(_ end: ClassicEnd, _ connection: ClassicConnection) {
    caller.failed(target)
    pipeline.fail(end.error(peer: target))
    finish()
  }

  func streamsClosing(_ connection: ClassicConnection) {
    // What was sent is still answered (R-CLS-17).
    isClosing = true
    pipeline.refuseRequests(streamsClosed)
    endIfClosed(connection)
  }

  @discardableResult
  private func endIfClosed(_ connection: ClassicConnection) -> Bool {
    guard isClosing, unanswered == 0 else { return false }
    fail(streamsClosed, connection)
    return true
  }

  private var streamsClosed: TransportError {
    TransportError(.pipelineClosed, "the streams to \(target.name) were closed", delivery: .unknown)
  }

  // MARK: Answers and time

  /// Reads as many answers as the consumer leaves room for.
  private func readAnswers(_ connection: ClassicConnection) {
    var allowance = pipeline.readAllowance
    while allowance > 0 {
      var results: [Result<AppendEntriesResponse, TransportError>] = []
      do {
        while results.count < allowance, let answer = try assembler.nextAnswer(AppendEntriesResponse.self) {
          results.append(answer.result(of: AppendEntriesRequest.self, from: target.id))
        }
      } catch {
        _ = deliver(results, connection)
        return fail(.malformedAnswer(error, peer: target.id), connection)
      }
      let wasFilled = results.count == allowance
      guard let left = deliver(results, connection) else { return }
      // The consumer may have made room meanwhile. It says so only where there was none: whoever read up to an older
      // allowance has to look again.
      allowance = left
      if !wasFilled { break }
    }
    // What the consumer does not take stays with the peer.
    setReading(allowance > 0, connection)
  }

  private func setReading(_ isReading: Bool, _ connection: ClassicConnection) {
    guard self.isReading != isReading else { return }
    self.isReading = isReading
    connection.setReading(isReading)
  }

  /// Hands answers on; answers how many more may be read, or `nil` if the pipeline is over.
  private func deliver(
    _ results: [Result<AppendEntriesResponse, TransportError>], _ connection: ClassicConnection
  ) -> Int? {
    guard !results.isEmpty else { return pipeline.readAllowance }
    connection.notePeerAnswered()
    unanswered -= results.count
    guard let allowance = pipeline.received(results) else {
      let message = "\(target.name) answered more than it was asked"
      fail(TransportError(.malformedResponse, message, delivery: .answered), connection)
      return nil
    }
    expectAnswer()
    return endIfClosed(connection) ? nil : allowance
  }

  /// Upstream's read deadline: it starts anew when an answer becomes the next one to come.
  private func expectAnswer() {
    guard let timeout, unanswered > 0 else {
      deadline = nil
      return
    }
    deadline = caller.eventLoop.now + timeout
    if timer == nil { armTimer(timeout) }
  }

  /// One timer looks after all answers: it is early most of the time, and then only looks again.
  private func armTimer(_ time: TimeAmount) {
    timer = caller.eventLoop.assumeIsolated().scheduleTask(in: time) {
      self.timer = nil
      guard let deadline = self.deadline, case .open(let connection) = self.state else { return }
      let now = self.caller.eventLoop.now
      if now < deadline { return self.armTimer(deadline - now) }
      // What has come and waits for the consumer is not the peer's fault.
      if self.pipeline.readAllowance == 0 { return self.expectAnswer() }
      self.caller.failed(self.target)
      let message = "\(self.target.name) has not answered a pipelined request in time"
      self.fail(TransportError(.timeout, message, delivery: .unknown), connection)
    }
  }

  // MARK: The end

  private func fail(_ error: TransportError, _ connection: ClassicConnection) {
    pipeline.fail(error)
    end(connection)
  }

  private func end(_ connection: ClassicConnection) {
    // A pipeline's connection is never pooled: answers may still be on their way (R-CLS-15).
    finish()
    connection.abandon()
  }

  private func finish() {
    state = .ended
    deadline = nil
    timer?.cancel()
    timer = nil
    pipeline.streamEnded()
  }
}

/// What the users of a pipeline hold of its connection.
struct ClassicWire: PipelineWire {
  private let eventLoop: any EventLoop
  private let stream: LoopHandle<ClassicAppendStream>
  /// One wake-up of the event loop takes all requests that have come, and one flush sends them.
  private let requests = Mailbox<ByteBuffer>()

  init(eventLoop: any EventLoop, stream: LoopHandle<ClassicAppendStream>) {
    self.eventLoop = eventLoop
    self.stream = stream
  }

  func send(_ request: ByteBuffer) {
    guard case .wakeLoop = requests.add(request) else { return }
    eventLoop.execute { [stream, requests] in
      var batch = Deque<ByteBuffer>()
      requests.takeAll(leaving: &batch)
      stream.value?.send(Array(batch))
    }
  }

  func consumerMadeRoom() {
    eventLoop.execute { [stream] in stream.value?.consumerMadeRoom() }
  }

  func close() {
    eventLoop.execute { [stream] in stream.value?.close() }
  }

  func letGo() {
    stream.value = nil
  }
}
