import NIOCore
import RaftWire

/// Sends one snapshot to an old peer: the request, its raw bytes, and the wait for the answer.
///
/// Confined to the event loop, but for what it shares with the task that reads the source.
final class ClassicSnapshotCall: ClassicExchange {
  private enum State {
    case waiting
    /// The body is on its way.
    case sending(ClassicConnection)
    /// All was handed to the socket.
    case awaitingAnswer(ClassicConnection)
    case ended
  }

  let target: DialTarget
  private let caller: ClassicCaller
  private let request: ByteBuffer
  private let upload: ClassicUpload
  private let clock: SnapshotClock
  private let result: CallResult<InstallSnapshotResponse>
  private var assembler: MessageAssembler
  private var state = State.waiting
  /// Bytes of the body that were written and that the socket has not taken.
  private var unwritten = 0
  private var timer: Scheduled<Void>?
  /// When something last moved.
  private var lastProgress: NIODeadline

  private init(
    _ request: ByteBuffer, to target: DialTarget, caller: ClassicCaller, upload: ClassicUpload,
    clock: SnapshotClock, limits: MessageLimits, result: CallResult<InstallSnapshotResponse>
  ) {
    self.request = request
    self.target = target
    self.caller = caller
    self.upload = upload
    self.clock = clock
    self.result = result
    lastProgress = caller.eventLoop.now
    assembler = MessageAssembler(limits: limits)
  }

  /// Sends a snapshot and waits for the answer.
  ///
  /// - Parameter deadline: Until when there has to be a connection.
  static func run(
    _ request: InstallSnapshotRequest, _ source: SnapshotSource, to target: DialTarget,
    on peers: OldPeerDirectory, clock: SnapshotClock, deadline: NIODeadline?
  ) async throws -> InstallSnapshotResponse {
    let bytes = try peers.encoder.encoded(request)
    let upload = ClassicUpload(size: max(request.size, 0))
    let result = CallResult<InstallSnapshotResponse>()
    let handle = LoopHandle<ClassicSnapshotCall>(eventLoop: peers.eventLoop)
    peers.perform { caller in
      let call = ClassicSnapshotCall(
        bytes, to: target, caller: caller, upload: upload, clock: clock, limits: peers.limits, result: result)
      handle.value = call
      call.start(deadline)
    }
    // The source is read beside the wait for the answer, which may come early; leaving the scope ends the reading.
    async let _ = send(source, upload, handle, peers)
    let outcome: Result<InstallSnapshotResponse, any Error>
    do {
      outcome = .success(try await result.value { peers.perform { _ in handle.value?.cancel() } })
    } catch {
      outcome = .failure(error)
    }
    upload.end()
    return try outcome.get()
  }

  /// Reads the source. A piece is sent when the next one has come, so that the receiver never gets the last byte of a
  /// snapshot whose source then fails: there is no other way to take it back (R-CLS-16).
  private static func send(
    _ source: SnapshotSource, _ upload: ClassicUpload, _ handle: LoopHandle<ClassicSnapshotCall>,
    _ peers: OldPeerDirectory
  ) async {
    var exact = ExactSizeSource(source, size: UInt64(upload.size))
    var held: ByteBuffer?
    do {
      while await upload.waitForRoom() {
        let next = try await exact.next()
        if let bytes = held {
          upload.submitted(bytes.readableBytes)
          peers.perform { _ in handle.value?.write(bytes) }
        }
        guard next != nil else { return peers.perform { _ in handle.value?.finish() } }
        held = next
      }
    } catch {
      let failure = TransportError.snapshotSource(error)
      peers.perform { _ in handle.value?.fail(failure) }
    }
  }

  private func start(_ deadline: NIODeadline?) {
    if let deadline {
      timer = caller.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
        let message = "no connection to \(self.target.name) in time"
        self.fail(TransportError(.timeout, message, delivery: .notDelivered))
      }
    }
    caller.start(self)
  }

  // MARK: From the task that reads the source

  private func write(_ bytes: ByteBuffer) {
    guard case .sending(let connection) = state else { return }
    let count = bytes.readableBytes
    unwritten += count
    connection.writeAndFlush(bytes) { self.written(count) }
  }

  private func written(_ count: Int) {
    unwritten -= count
    lastProgress = caller.eventLoop.now
    upload.written(count)
    awaitAnswerIfSent()
  }

  private func finish() {
    guard case .sending(let connection) = state else { return }
    state = .awaitingAnswer(connection)
    awaitAnswerIfSent()
  }

  private func cancel() {
    let isSent = if case .waiting = state { false } else { true }
    fail(TransportError(.cancelled, "", delivery: isSent ? .unknown : .notDelivered))
  }

  // MARK: ClassicExchange

  var snapshotProgress: TransportStatistics.Snapshot? { upload.progress }

  func begin(on connection: ClassicConnection) {
    guard case .waiting = state else { return connection.giveBack() }
    state = .sending(connection)
    lastProgress = caller.eventLoop.now
    timer?.cancel()
    arm(clock.transfer)
    connection.write(request)
    connection.flush()
    upload.begin()
  }

  func failed(_ error: TransportError) {
    fail(error)
  }

  func received(_ bytes: ByteBuffer, _ connection: ClassicConnection) {
    assembler.append(bytes)
    do {
      guard let answer = try assembler.nextAnswer(InstallSnapshotResponse.self) else { return }
      connection.notePeerAnswered()
      end(answer.result(of: InstallSnapshotRequest.self, from: target.id))
    } catch {
      fail(.malformedAnswer(error, peer: target.id))
    }
  }

  func ended(_ end: ClassicEnd, _ connection: ClassicConnection) {
    state = .waiting
    caller.failed(target)
    self.end(.failure(end.error(peer: target)))
  }

  // MARK: Time

  private func awaitAnswerIfSent() {
    guard case .awaitingAnswer = state, unwritten == 0, clock.answer != nil else { return }
    lastProgress = caller.eventLoop.now
    timer?.cancel()
    arm(clock.answer)
  }

  private func arm(_ limit: TimeAmount?) {
    guard let limit else { return }
    timer = caller.eventLoop.assumeIsolated().scheduleTask(in: limit) { self.checkTime(limit) }
  }

  private func checkTime(_ limit: TimeAmount) {
    timer = nil
    guard clock.watchesProgress else { return timeOut("the snapshot took too long") }
    let isSending = if case .sending = state { true } else { false }
    // A source of our own that takes its time is not the peer's fault.
    if isSending, unwritten == 0 { return arm(limit) }
    let idle = caller.eventLoop.now - lastProgress
    if idle < limit { return arm(limit - idle) }
    timeOut(unwritten > 0 ? "no byte of the snapshot was taken" : "the snapshot was sent, but not answered")
  }

  private func timeOut(_ what: String) {
    caller.failed(target)
    fail(TransportError(.timeout, "\(target.name): \(what)", delivery: .unknown))
  }

  // MARK: The end

  private func fail(_ error: TransportError) {
    end(.failure(error))
  }

  private func end(_ outcome: Result<InstallSnapshotResponse, TransportError>) {
    if case .ended = state { return }
    timer?.cancel()
    timer = nil
    // As upstream does it, the connection of a snapshot is not used again.
    switch state {
    case .sending(let connection), .awaitingAnswer(let connection): connection.abandon()
    case .waiting, .ended: break
    }
    state = .ended
    upload.end()
    result.complete(outcome)
  }
}
