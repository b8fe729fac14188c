import DequeModule
import Logging
import NIOCore
import StreamMux

/// Drives one engine on one socket: bytes and time in, bytes out, events to the streams' owners.
///
/// Confined to the channel's event loop. Whatever reaches it — bytes, a command, a timer — ends in ``pump()``, which
/// empties the engine's events and then writes what the socket takes, with one flush.
final class ConnectionDriver: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Rounds of write and flush after which the loop's other connections, and what has arrived, get their turn.
  private static let roundsPerTurn = 4
  /// All owners are looked at for one deadline, so not more often than this.
  private static let deadlineGrain = TimeAmount.milliseconds(1)
  /// How long a drain waits for calls that are under way (R-DRN-11); far beyond what a call may take, since some
  /// snapshots take long.
  private static let drainTime = TimeAmount.minutes(10)

  var engine: MuxConnection
  let link: Link
  let services: InboundServices
  let logger: Logger
  private let observer: any ConnectionObserver
  private let security: ConnectionSecurity
  /// What the peer has shown in the handshake of TLS.
  private var certificate: PeerCertificate?
  private(set) var owners = StreamOwners()
  /// No owner's deadline is before this.
  private var nextOwnerDeadline = NIODeadline.distantFuture
  private var probes: [UInt64: Scheduled<Void>] = [:]
  private var context: ChannelHandlerContext?
  /// What the socket was told to take beyond what is under way.
  var burst = SocketOptions.firstBurst
  private var timer: (deadline: NIODeadline, task: Scheduled<Void>)?
  private var lastReceived = NIODeadline.uptimeNanoseconds(0)
  /// Empty; its memory goes back and forth between the mailbox and the loop.
  var spareBatch = Deque<LinkCommand>()
  private var isPumping = false
  /// Whether the pump has asked for another turn.
  private var isContinuationDue = false
  private var isDraining = false
  private var drainTimer: Scheduled<Void>?
  private var isOver = false
  /// Who is at the other end, once the handshake has shown it.
  private(set) var origin = IncomingRPC.Origin(id: "", address: "")
  /// What runs for the peer, on this connection and others.
  private(set) lazy var load = services.loads.load(of: loadKey)
  private var loadKey = PeerLoads.Key.claim("", source: nil)
  private(set) var endpoints = Endpoints()

  init(
    engine: MuxConnection, link: Link, observer: any ConnectionObserver, services: InboundServices,
    security: ConnectionSecurity, logger: Logger
  ) {
    self.engine = engine
    self.link = link
    self.observer = observer
    self.services = services
    self.security = security
    self.logger = logger
  }

  var eventLoop: any EventLoop { link.eventLoop }

  var peerID: ServerID { origin.id }

  /// Runs something that touches the engine, and what follows from it.
  func perform(_ body: () -> Void) {
    body()
    pump()
  }

  // MARK: The channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    endpoints = Endpoints(context.channel)
    link.attach(self)
    if context.channel.isActive { pump() }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    finish(.endOfInput)
    self.context = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    endpoints = Endpoints(context.channel)
    pump()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    lastReceived = eventLoop.now
    engine.receive(unwrapInboundIn(data), now: lastReceived)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    pump()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { pump() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? ChannelEvent, event == .inputClosed {
      perform { engine.receiveEndOfInput(now: eventLoop.now) }
    } else if let event = event as? ProtectionEstablished {
      certificate = event.certificate
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    perform { engine.receiveEndOfInput(now: eventLoop.now) }
    finish(.endOfInput)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let failure = error as? ProtectionFailure {
      finish(failure.closure)
    } else {
      logger.debug("the socket failed", metadata: ["error": "\(error)"])
      // A reset is an end that the peer has made; with anything else it is the path that has failed.
      if let error = error as? IOError, !error.isReset {
        finish(.transportFailed("the socket failed: \(error)"))
      }
    }
    context.close(promise: nil)
  }

  // MARK: Streams

  /// Opens a stream that belongs to `owner` until it is released.
  func open(_ opening: StreamOpening, owner: any StreamOwner) throws(OpenError) -> StreamKey {
    guard !isOver else { throw .closed }
    let stream = try engine.open(opening, now: eventLoop.now)
    owners[stream] = owner
    return stream
  }

  /// Ends the ownership of a stream; what is not finished in either direction is cancelled with the code.
  func release(_ stream: StreamKey, code: ErrorCode = .cancelled) {
    owners[stream] = nil
    engine.release(stream, code: code)
  }

  /// Hands an answer to the stream on which its request came.
  func answer(_ stream: StreamKey, request: UInt64, _ bytes: ByteBuffer) {
    // The stream may have ended while the handler worked; then nobody waits for the answer.
    (owners[stream] as? InboundStream)?.answer(request: request, bytes, stream, self)
  }

  /// A stream of the peer may go on that had to wait for handlers to end.
  func readOn(_ stream: StreamKey) {
    (owners[stream] as? InboundStream)?.readOn(stream, self)
  }

  // MARK: Orders of those who decide about connections

  func accept(grantsRoute: Bool) {
    engine.accept(grantsRoute: grantsRoute, now: eventLoop.now)
  }

  func refuse(_ refusal: Refusal) {
    services.peerLog.log(
      .refusal, .info, "refusing a connection", metadata: ["reason": "\(refusal)"], to: logger)
    engine.refuse(refusal, now: eventLoop.now)
  }

  func close(_ code: ErrorCode, text: String) {
    engine.close(code, text: text, now: eventLoop.now)
  }

  /// Lets what runs come to its end and closes the connection then.
  func drain() {
    guard !isDraining else { return }
    isDraining = true
    engine.drain(now: eventLoop.now)
    observer.connectionDraining(link)
    for (stream, owner) in owners.all { owner.connectionDraining(stream, self) }
    drainTimer = eventLoop.assumeIsolated().scheduleTask(in: Self.drainTime) { [weak self] in
      self?.perform { self?.close(.shutdown, text: "the drain took too long") }
    }
  }

  /// How long a probe waits for its answer (R-PAIR-8): four round trips, but no less than a second, and short enough
  /// that the connection for whose sake it was sent is still in its handshake.
  static func probePatience(_ roundTrip: TimeAmount?) -> TimeAmount {
    min(max(.seconds(1), (roundTrip ?? .zero) * 4), .seconds(3))
  }

  /// Finds out whether the peer still answers, and tells the observer unless the connection ends first.
  ///
  /// - Parameter inAnyCase: Whether to ask even if something was heard of the peer in the last second (R-PAIR-7).
  func probe(inAnyCase: Bool) {
    guard !isOver else { return }
    if !inAnyCase, lastReceived > eventLoop.now - .seconds(1) {
      return observer.connection(link, probeAnswered: true)
    }
    let number = engine.ping(now: eventLoop.now)
    let patience = Self.probePatience(engine.figures.smoothedRoundTrip)
    probes[number] = eventLoop.assumeIsolated().scheduleTask(in: patience) {
      self.endProbe(number, answered: false)
    }
  }

  private func endProbe(_ number: UInt64, answered: Bool) {
    guard let timer = probes.removeValue(forKey: number) else { return }
    timer.cancel()
    observer.connection(link, probeAnswered: answered)
  }

  // MARK: The pump

  private func pump() {
    // What happens inside (an owner's call) is seen by the loop that already runs.
    guard !isPumping, context != nil else { return }
    isPumping = true
    var rounds = 0
    var hasWritten = false
    repeat {
      while let event = engine.nextEvent() { handle(event) }
      hasWritten = transmit()
      rounds += 1
      // Cutting frames makes events (a stream has room again, the output is done), and flushing may make room.
    } while hasWritten && rounds < Self.roundsPerTurn
    isPumping = false
    if hasWritten, !isContinuationDue {
      isContinuationDue = true
      eventLoop.assumeIsolated().scheduleTask(in: LoopExecutor.handOver) {
        self.isContinuationDue = false
        self.pump()
      }
    }
    armTimer()
  }

  /// Writes what the socket takes, with one flush.
  ///
  /// - Returns: Whether there was anything to write.
  private func transmit() -> Bool {
    guard let context else { return false }
    sampleSocket(context)
    let limit = SocketOptions.mostPending(forBurst: burst)
    var hasWritten = false
    while context.channel.isWritable,
      let bytes = engine.nextTransmission(limit: limit, now: eventLoop.now)
    {
      context.write(wrapOutboundOut(bytes), promise: nil)
      hasWritten = true
    }
    if hasWritten { context.flush() }
    return hasWritten
  }

  /// Sees to it that an owner's deadline is looked at in time.
  ///
  /// One timer serves all calls of a connection: making one for each, and taking it back, would cost more than most
  /// calls do.
  func expect(before deadline: NIODeadline) {
    nextOwnerDeadline = min(nextOwnerDeadline, deadline)
  }

  private func checkOwners(now: NIODeadline) {
    guard nextOwnerDeadline <= now else { return }
    nextOwnerDeadline = .distantFuture
    if services.environment.has(.ignoresDeadlines) { return }
    for (stream, owner) in owners.all {
      // One that passed may have ended others.
      if let deadline = owner.deadline, deadline <= now, owners[stream] === owner {
        owner.deadlinePassed(stream, self)
      }
      if let deadline = owner.deadline, owners[stream] === owner {
        expect(before: max(deadline, now + Self.deadlineGrain))
      }
    }
  }

  private func armTimer() {
    guard let engineDeadline = engine.nextDeadline, !(isOver && context == nil) else { return }
    let deadline = min(engineDeadline, nextOwnerDeadline)
    if let timer {
      // A timer that is early only looks again; one that is late would be a fault.
      if timer.deadline <= deadline { return }
      timer.task.cancel()
    }
    let task = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      self.timer = nil
      guard self.context != nil else { return }
      self.perform {
        self.engine.handleTimeout(now: self.eventLoop.now)
        self.checkOwners(now: self.eventLoop.now)
      }
    }
    timer = (deadline, task)
  }

  private func handle(_ event: MuxEvent) {
    switch event {
    case .peerAuthenticated(let hello, let agreement):
      origin = IncomingRPC.Origin(id: ServerID(hello.serverID), address: ServerAddress(hello.address))
      loadKey = PeerLoads.Key(
        peerID, agreement.method, source: endpoints.remoteIP.map(HostResolver.normalised))
      if let refusal = security.objection(to: hello, agreement, certificate: certificate) {
        refuse(refusal)
      } else {
        observer.connection(link, authenticated: hello, agreement, endpoints, certificate: certificate)
      }
    case .proofNeeded(let context):
      engine.provideProof(security.proof(context), now: eventLoop.now)
    case .proofReceived(let proof, let context):
      engine.proofWasChecked(isValid: security.isValid(proof, context), now: eventLoop.now)
    case .established(let grantsRoute):
      // So that the round trip is known from the start.
      _ = engine.ping(now: eventLoop.now)
      observer.connection(link, establishedGrantingRoute: grantsRoute)
    case .refused(let refusal):
      observer.connection(link, refused: refusal)
    case .opened(let stream, let opening):
      accept(stream, opening)
    case .data(let stream, let bytes):
      owners[stream]?.streamReceived(bytes.withoutPinning(), stream, self)
    case .finished(let stream):
      owners[stream]?.streamFinished(stream, self)
    case .stopped(let stream, let code):
      owners[stream]?.streamStopped(code, stream, self)
    case .writable(let stream):
      owners[stream]?.streamWritable(stream, self)
    case .reset(let stream, let code):
      owners[stream]?.streamEnded(.reset(code), stream, self)
    case .rejected(let stream, let code):
      owners[stream]?.streamEnded(.neverProcessed(code), stream, self)
    case .pong(let number, _):
      endProbe(number, answered: true)
    case .draining:
      // The table hears it first: whoever learns of it below may call again at once, and must not be sent here.
      observer.connectionDraining(link)
      for (stream, owner) in owners.all { owner.peerDraining(stream, self) }
    case .ending(let closure):
      finish(closure)
    case .shouldCloseOutput:
      context?.close(mode: .output, promise: nil)
    case .closed(let closure):
      finish(closure)
      context?.close(promise: nil)
    }
  }

  private func accept(_ stream: StreamKey, _ opening: StreamOpening) {
    let owner = InboundStream(opening: opening, services: services, driver: self)
    owners[stream] = owner
    if isDraining { owner.connectionDraining(stream, self) }
  }

  // MARK: The end

  /// No stream of this connection lives on; bytes may still have to go out.
  private func finish(_ closure: Closure) {
    guard !isOver else { return }
    isOver = true
    log(closure)
    // The end of the connection is answer enough for those who asked for a sign of life.
    for timer in probes.values { timer.cancel() }
    probes = [:]
    drainTimer?.cancel()
    // The table hears it first: whoever learns of the end below may call again at once, and must not be sent here.
    observer.connection(link, closed: closure, unheard: engine.figures.bytesReceived == 0)
    // Commands that were under way meet a connection that is over, and end by themselves.
    if !services.environment.has(.leavesMailboxOpen) { link.closeMailbox() }
    let ended = owners.all
    owners.removeAll()
    for (stream, owner) in ended.dropLast(services.environment.has(.endForgetsStream) ? 1 : 0) {
      let end = StreamEnd.connectionOver(closure, hadReachedWire: engine.hasReachedWire(stream))
      owner.streamEnded(end, stream, self)
    }
  }

  private func log(_ closure: Closure) {
    let level: Logger.Level =
      switch closure {
      case .violation, .silent, .transportFailed: .warning
      case .refused(let refusal), .refusedByPeer(let refusal):
        // What has to do with trust is worth a look; other refusals are part of everyday life.
        refusal.code == .unauthenticated || refusal.code == .unauthorized ? .warning : .info
      case .peerError: .info
      case .drained, .endOfInput, .local: .debug
      }
    services.peerLog.log(
      .connectionEnd, level, "connection ended",
      metadata: ["peer": "\(peerID)", "reason": "\(closure.explanation)"], to: logger)
  }

  // MARK: Statistics

  /// What the connection is doing.
  func statistics(
    identity: PeerIdentity, isDialled: Bool, carriesCalls: Bool
  ) -> TransportStatistics.Connection {
    let figures = engine.figures
    return TransportStatistics.Connection(
      peerID: identity.id,
      peerAddress: identity.advertisedAddress,
      method: identity.method,
      isDialled: isDialled,
      carriesCalls: carriesCalls,
      localPort: endpoints.localPort,
      remotePort: endpoints.remotePort,
      streams: TransportStatistics.StreamCounts(
        election: figures.streams.election, append: figures.streams.append, snapshot: figures.streams.snapshot
      ),
      bytesReceived: figures.bytesReceived,
      bytesSent: figures.bytesSent,
      callsInFlight: owners.all.reduce(0) { $0 + $1.owner.callsInFlight },
      receiveWindow: owners.all.compactMap { engine.streamFigures($0.stream).map { Int($0.receiveWindow) } }
        .max()
        ?? services.initialWindow,
      roundTrip: figures.smoothedRoundTrip.map { .nanoseconds($0.nanoseconds) },
      leastRoundTrip: figures.minimumRoundTrip.map { .nanoseconds($0.nanoseconds) },
      pathRate: engine.bottleneck.rate.map { Int($0) },
      bulkPauses: engine.bulkPauses,
      snapshots: owners.all.compactMap(\.owner.snapshotProgress)
    )
  }
}

extension Endpoints {
  init(_ channel: any Channel) {
    self.init(
      localPort: channel.localAddress?.port ?? 0,
      remotePort: channel.remoteAddress?.port ?? 0,
      remoteIP: channel.remoteAddress?.ipAddress)
  }
}
