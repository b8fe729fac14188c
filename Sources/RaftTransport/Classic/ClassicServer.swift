import Logging
import NIOCore
import RaftWire
import StreamMux

/// Serves one connection of an old peer as hashicorp/raft's transport does: a request is read, handled and answered
/// before the next one is looked at (R-CLS-2).
final class ClassicServer: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Phase {
    /// A request is read.
    case command
    /// A request is with its handler; nothing is read.
    case handling
    /// The raw bytes behind an InstallSnapshot request are read; the answer, if there is one already, waits for the
    /// last of them.
    case body(ClassicBody, answer: ByteBuffer?)
    /// The answer is on its way into the socket.
    case answering
    case over
  }

  /// What a decoded entry takes beside its bytes, which may be a single one on the wire.
  private static let decodedEntryBytes = 120

  private let listener: ClassicListener
  /// The IP address that the connection comes from.
  let source: String?
  private let logger: Logger
  private var assembler: MessageAssembler
  private var phase = Phase.command
  private var context: ChannelHandlerContext?
  /// Requests so far; an answer names the one that it is for.
  private var requests: UInt64 = 0
  /// What the request that is being handled takes, in bytes.
  private var requestBytes = 0
  private var peerHasFinished = false
  /// Whether the connection ends behind the next answer.
  private var isRetiring = false
  private var isReading = false
  private var hasEnded = false
  private var lastProgress: NIODeadline
  /// For the first request from the beginning of the connection, for what comes later from its first byte.
  private var requestClock: ClassicClock?
  /// While others wait for this connection.
  private var overdraftClock: ClassicClock?
  private var timer: (deadline: NIODeadline, task: Scheduled<Void>)?
  private var bytesReceived: UInt64 = 0
  private var bytesSent: UInt64 = 0

  /// - Parameter acceptedAt: Since when the connection stands.
  init(listener: ClassicListener, source: String?, acceptedAt: NIODeadline, logger: Logger) {
    self.listener = listener
    self.source = source
    self.logger = logger
    lastProgress = listener.eventLoop.now
    assembler = MessageAssembler(limits: listener.services.messageLimits)
    requestClock = listener.patience.forFirstRequest
    requestClock?.run(now: acceptedAt)
  }

  // MARK: The channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end("the connection ended")
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    hasRead(bytes.readableBytes)
    bytesReceived += UInt64(bytes.readableBytes)
    if case .over = phase { return }
    assembler.append(bytes.withoutPinning())
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    hasRead(0)
    advance()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard let event = event as? ChannelEvent, event == .inputClosed else {
      return context.fireUserInboundEventTriggered(event)
    }
    peerHasFinished = true
    if case .body(let body, _) = phase { takeBody(body) }
    advance()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end("the peer closed the connection")
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    logger.debug("the socket of an old peer failed", metadata: ["error": "\(error)"])
    close()
  }

  // MARK: Orders

  /// The next answer is the last one (R-CLS-11).
  func retire(closingIfIdle: Bool = false) {
    isRetiring = true
    if closingIfIdle, case .command = phase, assembler.pendingBytes == 0 { close() }
  }

  func close() {
    context?.close(promise: nil)
  }

  /// There may be room for more bytes.
  func readIfDue() {
    advance()
  }

  // MARK: Requests

  /// Goes on as far as what has arrived reaches.
  private func advance() {
    while true {
      switch phase {
      case .command:
        guard listener.mayDecode(self, of: assembler.pendingBytes) else { return account() }
        do {
          guard let command = try nextCommand() else { return awaitMoreOfCommand() }
          dispatch(command)
        } catch {
          return refuse(error)
        }
      case .body(let body, let answer):
        takeBody(body)
        if let answer {
          // Raft's own handler reads all of a snapshot before it answers; so a sender that only then reads finds its
          // connection alive (R-CLS-8).
          body.abandon()
          guard body.isComplete || peerHasFinished else { return read() }
          return send(answer)
        }
        if body.isComplete { phase = .handling } else if body.wantsMore && !peerHasFinished { read() }
        return account()
      case .handling, .answering, .over:
        return account()
      }
    }
  }

  private func nextCommand() throws(WireError) -> WireCommand? {
    let before = assembler.pendingBytes
    guard let command = try assembler.nextCommand() else { return nil }
    requestClock = nil
    requestBytes = before - assembler.pendingBytes
    if case .appendEntries(let request) = command {
      requestBytes += Self.decodedEntryBytes * (request.entries?.count ?? 0)
    }
    return command
  }

  private func awaitMoreOfCommand() {
    guard peerHasFinished else { return read() }
    if assembler.pendingBytes > 0 { logger.debug("an old peer's connection ended inside a request") }
    phase = .over
    close()
  }

  /// Upstream's way with what it does not understand: not a byte, and the end (R-CLS-6).
  private func refuse(_ error: WireError) {
    listener.services.counters.add(\.unreadableRequests)
    listener.services.peerLog.log(
      .unreadableRequest, .warning,
      "an old peer sent a request that cannot be read; its connection is closed",
      metadata: ["error": "\(error)"], to: logger)
    phase = .over
    close()
  }

  private func dispatch(_ command: WireCommand) {
    requests += 1
    phase = .handling
    let rpc: IncomingRPC.Command
    switch command {
    case .appendEntries(let request): rpc = .appendEntries(request, responder())
    case .requestVote(let request): rpc = .requestVote(request, responder())
    case .requestPreVote(let request): rpc = .requestPreVote(request, responder())
    case .timeoutNow(let request): rpc = .timeoutNow(request, responder())
    case .installSnapshot(let request):
      let myself = NIOLoopBound(self, eventLoop: listener.eventLoop)
      let eventLoop = listener.eventLoop
      let number = requests
      let body = ClassicBody(size: request.size) { count in
        eventLoop.execute { myself.value.bodyTaken(count, ofRequest: number) }
      }
      phase = .body(body, answer: nil)
      rpc = .installSnapshot(request, body.body, responder())
    }
    listener.services.dispatch(
      IncomingRPC(command: rpc, origin: IncomingRPC.Origin(id: "", address: "", peerProtocol: .classic)))
  }

  /// The responder of the request that is being handled: it encodes where the handler runs.
  private func responder<Response: WireResponse>() -> Responder<Response> {
    let myself = NIOLoopBound(self, eventLoop: listener.eventLoop)
    let (eventLoop, encoder, logger) = (listener.eventLoop, listener.services.encoder, self.logger)
    let number = requests
    return Responder { reply in
      let bytes = encoder.encoded(reply, logger: logger)
      eventLoop.execute { myself.value.answered(number, bytes) }
    }
  }

  /// A handler has answered.
  private func answered(_ request: UInt64, _ bytes: ByteBuffer) {
    // It may have taken longer than the connection lived.
    guard request == requests else { return }
    switch phase {
    case .handling:
      send(bytes)
    case .body(let body, _):
      phase = .body(body, answer: bytes)
      advance()
    case .over:
      listener.handlerEnded(behind: self)
    case .command, .answering:
      return
    }
  }

  private func send(_ answer: ByteBuffer) {
    guard let context else { return }
    phase = .answering
    requestBytes = 0
    // Whatever was long is over; behind the answer the peer may be silent (R-CLS-12).
    (requestClock, overdraftClock) = (nil, nil)
    bytesSent += UInt64(answer.readableBytes)
    lastProgress = listener.eventLoop.now
    // The next request is read when the socket has this answer: a peer that does not read is not read either.
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenSuccess { self.answerWritten() }
    context.writeAndFlush(wrapOutboundOut(answer), promise: written)
    if case .answering = phase { watch() }
  }

  private func answerWritten() {
    guard case .answering = phase else { return }
    if isRetiring {
      logger.debug("the streams were closed; the connection of an old peer ends behind its answer")
      phase = .over
      return close()
    }
    phase = .command
    advance()
  }

  // MARK: Snapshots

  private func takeBody(_ body: ClassicBody) {
    while let bytes = assembler.nextRawBytes(atMost: Int(clamping: body.bytesLeft)) { body.received(bytes) }
    if peerHasFinished { body.fail("the peer ended the connection") }
  }

  private func bodyTaken(_ count: Int, ofRequest request: UInt64) {
    guard request == requests, case .body(let body, _) = phase else { return }
    body.taken(count)
    advance()
  }

  // MARK: Reading

  private func read() {
    account()
    guard let context, !isReading, !peerHasFinished, listener.mayRead(self) else { return }
    isReading = true
    startClocks()
    context.read()
  }

  /// Something was read, or nothing more for now.
  private func hasRead(_ byteCount: Int) {
    let now = listener.eventLoop.now
    isReading = false
    requestClock?.pause(received: byteCount, now: now)
    overdraftClock?.pause(received: byteCount, now: now)
  }

  /// Tells the listener what is held here.
  private func account() {
    if case .over = phase { return }
    var held = assembler.pendingBytes + requestBytes
    if case .body(let body, _) = phase { held += body.waitingBytes }
    listener.note(self, holds: held)
  }

  // MARK: Time

  /// Whether it is the peer's turn to send or to take bytes. Between requests it may be silent for ever, as upstream
  /// lets it.
  private var isPeerDue: Bool {
    switch phase {
    case .command: isReading && assembler.pendingBytes > 0
    case .body: isReading
    case .answering: true
    case .handling, .over: false
    }
  }

  /// The peer's time passes.
  private func startClocks() {
    let (now, patience) = (listener.eventLoop.now, listener.patience)
    lastProgress = now
    let isInside = if case .body = phase { true } else { assembler.pendingBytes > 0 }
    if requestClock == nil, isInside { requestClock = patience.forRequest }
    requestClock?.run(now: now)
    if !listener.isOverdrawn(self) {
      overdraftClock = nil
    } else if overdraftClock == nil {
      overdraftClock = patience.forOverdraft
    }
    overdraftClock?.run(now: now)
    watch()
  }

  /// Until when the peer has to do something.
  private var deadline: NIODeadline? {
    let stall = isPeerDue ? lastProgress + listener.patience.stall : nil
    return [stall, requestClock?.deadline, overdraftClock?.deadline].compactMap(\.self).min()
  }

  private func watch() {
    guard let deadline, !hasEnded else { return }
    // A timer that is early only looks again.
    if let timer, timer.deadline <= deadline { return }
    timer?.task.cancel()
    let task = listener.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      self.timer = nil
      self.checkDeadline()
    }
    timer = (deadline, task)
  }

  private func checkDeadline() {
    guard let deadline, deadline <= listener.eventLoop.now else { return watch() }
    listener.services.counters.add(.silent)
    listener.services.peerLog.log(
      .connectionEnd, .warning,
      requests == 0
        ? "an old peer sent no request in time; its connection is closed"
        : "an old peer took too long over a request or an answer; its connection is closed", to: logger)
    close()
  }

  // MARK: The end

  private func end(_ why: String) {
    // The channel says so when it becomes inactive, and when it lets its handlers go.
    guard !hasEnded else { return }
    hasEnded = true
    if case .body(let body, _) = phase {
      takeBody(body)
      body.fail(why)
    }
    // What a handler has lives on with it, and so it counts until its answer, or whoever sends requests and goes away
    // could have any number of them (R-CLS-9).
    let handled =
      switch phase {
      case .handling: requestBytes
      case .body(let body, answer: nil): requestBytes + body.waitingBytes
      case .body, .command, .answering, .over: 0
      }
    phase = .over
    timer?.task.cancel()
    timer = nil
    listener.ended(self, stillHolding: handled)
  }

  var statistics: TransportStatistics.Connection {
    let channel = context?.channel
    return TransportStatistics.Connection(
      peerID: "", peerAddress: "", peerProtocol: .classic, isDialled: false, carriesCalls: false,
      localPort: channel?.localAddress?.port ?? 0, remotePort: channel?.remoteAddress?.port ?? 0,
      streams: .none, bytesReceived: bytesReceived, bytesSent: bytesSent, callsInFlight: 0, receiveWindow: 0,
      snapshots: [])
  }
}
