internal import DequeModule
package import NIOCore

/// One RMUX/1 connection without its socket.
///
/// Bytes, time and the owner's wishes come in as arguments; events and bytes are polled. Nothing in here
/// waits, sleeps, logs or calls back, and nothing a peer sends makes it trap, hang or grow without bound:
/// whatever breaks the protocol ends the connection with a GOAWAY that says why.
///
///     handshaking ──▶ running ──▶ ending ──▶ outputClosed ──▶ closed
///
/// Calls that come too late (a stale key, a half that has ended, a closed connection) are ignored: they are
/// races that every owner has and none can avoid.
///
/// The parts are in extensions: `+Handshake`, `+Receiving`, `+Streams`, `+Credit`, `+Sending`,
/// `+Pacing`, `+Timeouts`.
package struct MuxConnection: Sendable {
  enum Phase: Equatable, Sendable {
    case handshaking
    case running
    /// Streams are over. What is queued for the socket still goes out, then the output is closed.
    case ending(Closure)
    /// Nothing will be sent any more; the peer's end of input is awaited.
    case outputClosed(Closure)
    case closed

    var isOver: Bool {
      switch self {
      case .handshaking, .running: false
      case .ending, .outputClosed, .closed: true
      }
    }
  }

  package let role: Role
  let hello: Hello
  package let configuration: MuxConfiguration
  var phase = Phase.handshaking

  // Handshake and bytes in.
  var handshake: Handshake
  var preface = PrefaceReader()
  var decoder: FrameDecoder
  var peerHello: Hello?
  /// The stream whose DATA frame is being received.
  var incoming: IncomingData?

  // Bytes out.
  var encoder = FrameEncoder()
  /// Bytes of the handshake that wait.
  var handshakeOutput: Deque<ByteBuffer> = []
  /// What is left of the payload of the frame whose header was written last.
  var framePieces: Deque<ByteBuffer> = []
  /// The checksum that follows these pieces, of the whole frame.
  var frameChecksum: FrameChecksum?
  /// Capacity for the next packed buffer: as much as the last one took.
  var packedSize = 1_024
  var control: ControlQueue
  var scheduler: Scheduler

  // Streams.
  var streams = StreamTable()
  /// The id of the next own stream whose OPEN is framed.
  var nextOwnID: UInt64
  /// 0 before the peer opened a stream.
  var highestPeerID: UInt64 = 0
  var grants: PerClass<StreamGrant>
  var allowances = PerClass<StreamAllowance> { _ in StreamAllowance(initial: 0) }
  var pendingOpens: PendingOpens
  /// Streams of the peer that were answered by RESET and STOP and have not ended yet.
  var refusedStreams = 0
  var receiveBudget: ReceiveBudget
  var assemblyTurn: AssemblyTurn
  let windowPolicy: WindowPolicy

  // Health.
  var path = PathModel()
  var pacer = BulkPacer()
  var pathProbe = PathProbe()
  /// When a PING was last sent for the sake of windows.
  var roundTripAsked: NIODeadline
  var keepAlive: KeepAlive
  var pings: PingLedger
  var drainState = DrainState()
  var abuse: AbuseGuard
  var random: SplitMix64
  /// When an ending connection gives up waiting for the socket or the peer; nil until time is told.
  var endingDeadline: NIODeadline?

  /// The peer closed its direction.
  var inputHasEnded = false
  /// The peer's newest GOAWAY.
  var peerGoAway: GoAway?

  var events: Deque<MuxEvent> = []
  var counts = ConnectionFigures()

  /// - Parameters:
  ///   - hello: what this side says of itself. Its limits must be those of `configuration`.
  ///   - expectedServerID: the server that must answer; nil or empty: whoever does.
  ///   - seed: all that is random here (jitter, PING numbers, the frame to ignore) follows from it.
  package init(
    role: Role, hello: Hello, expectedServerID: String?, configuration: MuxConfiguration, seed: UInt64,
    now: NIODeadline
  ) {
    precondition(
      Int(hello.initialWindow) == configuration.limits.initialWindow
        && Int(hello.maximumFramePayload) == configuration.limits.maximumFramePayload
        && hello.streamCredit == configuration.limits.streamCredit,
      "HELLO must promise what the configuration holds")
    let limits = configuration.limits
    var random = SplitMix64(seed: seed)
    self.role = role
    self.hello = hello
    self.configuration = configuration
    handshake = Handshake(
      role: role, hello: hello, expectedServerID: expectedServerID, timeout: limits.handshakeTimeout, now: now
    )
    decoder = FrameDecoder(maximumFramePayload: limits.maximumFramePayload)
    control = ControlQueue(pongLimit: limits.maximumWaitingPongs)
    scheduler = Scheduler(limits: configuration.scheduling, now: now)
    nextOwnID = role.firstStreamID
    grants = PerClass { StreamGrant(initial: limits.streamCredit[$0]) }
    pendingOpens = PendingOpens(capacity: limits.maximumPendingOpens)
    receiveBudget = ReceiveBudget(limit: limits.receiveBudget)
    assemblyTurn = AssemblyTurn(budget: limits.assemblyBudget)
    windowPolicy = WindowPolicy(limits: limits)
    keepAlive = KeepAlive(limits: configuration.liveness, seed: random.next(), now: now)
    roundTripAsked = now
    pings = PingLedger(firstNumber: random.next())
    abuse = AbuseGuard(limits: configuration.abuse, now: now)
    self.random = random
    run(handshake.start(), now: now)
    noteOutput(now: now)
  }

  /// What happened since the last call, one by one. Calls from within the loop that polls are safe.
  package mutating func nextEvent() -> MuxEvent? {
    while let event = events.popFirst() {
      if isWanted(event) { return event }
    }
    return nil
  }

  /// The owner hears nothing of a stream that it released, and no bytes of one that it stopped.
  private func isWanted(_ event: MuxEvent) -> Bool {
    switch event {
    case .data(let key, _), .finished(let key):
      guard streams.contains(key), streams[key].isOwned else { return false }
      if case .stopping = streams[key].receiving { return false }
      return !streams[key].wasStopped
    case .opened(let key, _), .reset(let key, _), .stopped(let key, _), .rejected(let key, _),
      .writable(let key):
      return streams.contains(key) && streams[key].isOwned
    case .proofNeeded, .proofReceived, .peerAuthenticated, .established, .refused, .pong, .draining, .ending,
      .shouldCloseOutput, .closed:
      return true
    }
  }

  /// What the connection knows about itself.
  package var figures: ConnectionFigures {
    var figures = counts
    figures.pendingOpens = pendingOpens.count
    figures.smoothedRoundTrip = path.smoothedRoundTrip
    figures.minimumRoundTrip = path.minimumRoundTrip
    figures.reservedWindows = receiveBudget.reserved
    figures.assembling = assemblyTurn.credited
    figures.waitingControl = control.count
    return figures
  }

  /// What is known of one stream; nil for a key whose stream is forgotten.
  package func streamFigures(_ key: StreamKey) -> StreamFigures? {
    guard streams.contains(key) else { return nil }
    let stream = streams[key]
    return StreamFigures(
      opening: stream.opening, id: stream.id, isOwn: stream.isOwn, queued: stream.queue.byteCount,
      sent: stream.sendWindow.sent, sendWindow: stream.sendWindow.available,
      received: stream.receiveWindow.received, consumed: stream.receiveWindow.consumed,
      receiveWindow: stream.receiveWindow.window, sending: stream.sending, receiving: stream.receiving)
  }
}
