internal import DequeModule
package import NIOCore

/// Bytes in.
extension MuxConnection {
  /// The DATA frame whose stream bytes are coming in.
  struct IncomingData: Sendable {
    let key: StreamKey
    let isLast: Bool
  }

  /// DATA of fewer bytes than this, though more was queued, is counted against a budget.
  static let tinyData = 64

  /// Takes what the socket received. Slices of it are handed on in events, so the buffer is kept as long as
  /// they are. What the peer does wrong ends the connection and is told as an event.
  package mutating func receive(_ bytes: ByteBuffer, now: NIODeadline) {
    guard phase != .closed, bytes.readableBytes > 0 else { return }
    counts.bytesReceived += UInt64(bytes.readableBytes)
    keepAlive.received(now: now)
    do throws(Violation) {
      try read(bytes, now: now)
    } catch {
      fail(error, now: now)
    }
    noteOutput(now: now)
    closeOutputIfDone(now: now)
    assertInvariants()
  }

  /// The peer closed its direction: there will be no more bytes.
  package mutating func receiveEndOfInput(now: NIODeadline) {
    guard phase != .closed, !inputHasEnded else { return }
    inputHasEnded = true
    switch phase {
    case .handshaking:
      end(.endOfInput)
    case .running:
      if !decoder.isBetweenFrames {
        end(.endOfInput)
      } else if !hasStreamsToFinish, peerGoAway != nil || drainState.isDraining {
        end(.drained)
      } else if let peerGoAway {
        end(.peerError(peerGoAway.code, peerGoAway.text))
      } else {
        end(.endOfInput)
      }
    case .ending, .closed:
      break
    case .outputClosed:
      close()
    }
    noteOutput(now: now)
    closeOutputIfDone(now: now)
    assertInvariants()
  }

  private mutating func read(_ bytes: ByteBuffer, now: NIODeadline) throws(Violation) {
    // Behind its end the connection still reads, so that the socket can be closed in good order (R-DRN-20).
    guard !phase.isOver else { return }
    var bytes = bytes
    guard try readPreface(&bytes, now: now) else { return }
    decoder.append(bytes)
    while !phase.isOver, let event = try decoder.next() {
      if phase == .handshaking {
        handleInHandshake(event, now: now)
      } else {
        try handle(event, now: now)
      }
    }
    if control.count > configuration.limits.maximumControlFrames {
      throw Violation(.controlQueueFull(limit: configuration.limits.maximumControlFrames))
    }
  }

  private mutating func handle(_ event: FrameEvent, now: NIODeadline) throws(Violation) {
    switch event {
    case .data(let header):
      counts.framesReceived.data += 1
      try beginData(header, now: now)
    case .payload(let bytes, let isLast):
      receiveData(bytes, endsFrame: isLast)
    case .ignorable:
      counts.framesReceived.ignorable += 1
      try abuse.spend(.ignorableFrames, now: now)
    case .frame(let frame):
      try handle(frame, now: now)
    }
  }

  private mutating func handle(_ frame: Frame, now: NIODeadline) throws(Violation) {
    switch frame {
    case .hello, .authentication, .welcome:
      throw Violation(.handshakeFrameRepeated(frame.type))
    case .credit(let stream, let limit):
      counts.framesReceived.credit += 1
      try receiveCredit(stream, limit, now: now)
    case .reset(let stream, let code):
      counts.framesReceived.reset += 1
      try receiveReset(stream, code.orCancelled, now: now)
    case .stop(let stream, let code):
      counts.framesReceived.stop += 1
      try receiveStop(stream, code.orCancelled, now: now)
    case .streams(let trafficClass, let limit):
      counts.framesReceived.streams += 1
      guard allowances[trafficClass].raise(to: limit) else {
        return try abuse.spend(.idleStreams, now: now)
      }
      admitPending()
    case .ping(let number):
      counts.framesReceived.ping += 1
      try abuse.spend(.pings, now: now)
      control.appendPong(number)
    case .pong(let number):
      counts.framesReceived.pong += 1
      try receivePong(number, now: now)
    case .goAway(let goAway):
      counts.framesReceived.goAway += 1
      // "Soon" and the last id are all that a peer has to say. Each one costs a look at every stream.
      if counts.framesReceived.goAway > 2 { try abuse.spend(.lateFrames, now: now) }
      try receiveGoAway(goAway)
    }
  }

  // MARK: Stream bytes

  private mutating func beginData(_ header: DataHeader, now: NIODeadline) throws(Violation) {
    let id = header.stream
    let key: StreamKey
    if let opening = header.opening {
      key = try openByPeer(id, opening, now: now)
    } else if let known = streams.key(ofID: id) {
      key = known
    } else {
      throw Violation(wasOpened(id) ? .dataOnForgottenStream(stream: id) : .neverOpened(.data, stream: id))
    }
    if case .violation = streams[key].receiving.handle(.data) {
      throw Violation(.dataAfterEnd(stream: id))
    }
    guard header.byteCount <= streams[key].receiveWindow.room else {
      let window = streams[key].receiveWindow
      throw Violation(
        .windowExceeded(
          stream: id, limit: window.advertised, reached: window.received + UInt64(header.byteCount)))
    }
    if header.byteCount == 0, header.opening == nil, !header.isLast {
      try abuse.spend(.emptyData, now: now)
    } else if header.hasMore, !header.isLast, 0 < header.byteCount, header.byteCount < Self.tinyData,
      !streams[key].receiveWindow.isFilled(by: header.byteCount)
    {
      try abuse.spend(.tinyData, now: now)
    }
    resizeWindow(key, hasMore: header.hasMore && !header.isLast, now: now)
    incoming = IncomingData(key: key, isLast: header.isLast)
  }

  private mutating func receiveData(_ bytes: ByteBuffer, endsFrame: Bool) {
    guard let incoming else { preconditionFailure("bytes without a header") }
    let key = incoming.key
    let count = bytes.readableBytes
    if count > 0 {
      let isWithinWindow = streams[key].receiveWindow.receive(count)
      precondition(isWithinWindow, "the header was checked against the window")
      if streams[key].receiving == .open {
        events.append(.data(key, bytes))
      } else {
        drop(count, of: key)
      }
    }
    guard endsFrame else { return }
    self.incoming = nil
    if incoming.isLast { finishReceiving(key) }
    forgetIfOver(key)
  }

  /// Bytes that nobody wants: they are consumed as they arrive, and earn no credit (R-FLW-7, R-FLW-8).
  private mutating func drop(_ count: Int, of key: StreamKey) {
    let uncredited = streams[key].receiveWindow.consume(count)
    if uncredited > 0 { assemblyTurn.uncredit(uncredited) }
  }

  private mutating func finishReceiving(_ key: StreamKey) {
    let action = streams[key].receiving.handle(.fin)
    endReceiving(key)
    switch action {
    case .tellFinished: events.append(.finished(key))
    case .none: break
    case .deliver, .drop, .tellReset, .sendStop, .violation:
      preconditionFailure("the frame was checked when it began")
    }
  }

  // MARK: Streams of the peer

  /// Whether a stream with this id ever was, so that frames about it may be late but are not wrong.
  private func wasOpened(_ id: UInt64) -> Bool {
    role.opens(id) ? id < nextOwnID : id <= highestPeerID
  }

  private mutating func openByPeer(
    _ id: UInt64, _ wire: DataHeader.Opening, now: NIODeadline
  ) throws(Violation) -> StreamKey {
    guard role.peer.opens(id) else { throw Violation(.openedByWrongSide(stream: id)) }
    let expected = highestPeerID == 0 ? role.peer.firstStreamID : highestPeerID + 2
    guard id == expected else { throw Violation(.openedOutOfOrder(stream: id, expected: expected)) }
    highestPeerID = id

    let opening: StreamOpening
    do throws(DataHeader.UnknownOpening) {
      opening = try wire.known()
    } catch {
      return try refuseUnknown(id, wire, error.code, now: now)
    }
    try countOpening(opening.trafficClass)
    if let group = configuration.group, opening.group != group {
      return try refuse(id, opening, .unknownGroup, now: now)
    }
    if drainState.refuses(id) { return try refuse(id, opening, .refused, now: now) }
    guard receiveBudget.reserve(hello.initialWindow, for: opening.trafficClass) else {
      return try refuse(id, opening, .refused, now: now)
    }
    let key = insertPeerStream(id, opening, isOwned: true)
    streams[key].holdsBudget = true
    counts.streams[opening.trafficClass] += 1
    events.append(.opened(key, opening))
    return key
  }

  private mutating func countOpening(_ trafficClass: TrafficClass) throws(Violation) {
    guard grants[trafficClass].open() else {
      throw Violation(.streamLimitExceeded(trafficClass, limit: grants[trafficClass].advertised))
    }
  }

  /// A class or encoding that is not known here. Without a known class there is no credit to count against.
  private mutating func refuseUnknown(
    _ id: UInt64, _ wire: DataHeader.Opening, _ code: ErrorCode, now: NIODeadline
  ) throws(Violation) -> StreamKey {
    guard let trafficClass = TrafficClass(rawValue: wire.trafficClass) else {
      let stand = StreamOpening(trafficClass: .snapshot, group: wire.group)
      let key = try refuse(id, stand, code, now: now)
      streams[key].isCounted = false
      return key
    }
    try countOpening(trafficClass)
    return try refuse(id, StreamOpening(trafficClass: trafficClass, group: wire.group), code, now: now)
  }

  /// Answers an opening by RESET and STOP (R-STR-5 to R-STR-9, R-FLW-24, R-FLW-26, R-DRN-4,
  /// R-LIM-9). The stream is kept until the peer has ended its half, because its bytes may be on the way.
  private mutating func refuse(
    _ id: UInt64, _ opening: StreamOpening, _ code: ErrorCode, now: NIODeadline
  ) throws(Violation) -> StreamKey {
    try abuse.spend(.provokedResets, now: now)
    refusedStreams += 1
    guard refusedStreams <= configuration.limits.maximumControlFrames else {
      throw Violation(.budgetExceeded(.provokedResets))
    }
    let key = insertPeerStream(id, opening, isOwned: false)
    streams[key].isRefused = true
    streams[key].stopCode = code
    _ = streams[key].sending.handle(.reset(code))
    _ = streams[key].receiving.handle(.stop(code))
    makeDue([.reset, .stop], key)
    return key
  }

  private mutating func insertPeerStream(_ id: UInt64, _ opening: StreamOpening, isOwned: Bool) -> StreamKey {
    let sendLimit = peerHello?.initialWindow ?? 0
    return streams.insert { key in
      Stream(
        key: key, opening: opening, isOwn: false, id: id, sending: .ready,
        sendWindow: SendWindow(initial: sendLimit),
        receiveWindow: ReceiveWindow(initial: hello.initialWindow),
        isOwned: isOwned)
    }
  }

  // MARK: Control frames about streams

  /// The stream that a control frame is about; nil if it is forgotten, and the frame late (R-STR-3,
  /// R-STR-18).
  private mutating func target(
    _ id: UInt64, _ type: FrameType, now: NIODeadline
  ) throws(Violation) -> StreamKey? {
    if let key = streams.key(ofID: id) { return key }
    guard wasOpened(id) else { throw Violation(.neverOpened(type, stream: id)) }
    try abuse.spend(.lateFrames, now: now)
    return nil
  }

  private mutating func receiveCredit(_ id: UInt64, _ limit: UInt64, now: NIODeadline) throws(Violation) {
    guard let key = try target(id, .credit, now: now) else { return }
    guard streams[key].sendWindow.raise(to: limit) else {
      return try abuse.spend(.lateFrames, now: now)
    }
    schedule(key)
  }

  private mutating func receiveReset(_ id: UInt64, _ code: ErrorCode, now: NIODeadline) throws(Violation) {
    let target = try target(id, .reset, now: now)
    if role.peer.opens(id) { try abuse.spend(.resets, now: now) }
    guard let key = target else { return }
    let wasEnded = streams[key].receiving.isEnded
    switch streams[key].receiving.handle(.resetReceived(code)) {
    case .tellReset(let code):
      // `refused` promises that nothing was processed (R-DRN-12, R-DRN-16); bytes from the other side would
      // belie that.
      if streams[key].isOwn, code == .refused, streams[key].receiveWindow.received == 0 {
        streams[key].isRejected = true
        events.append(.rejected(key, code))
      } else {
        events.append(.reset(key, code))
      }
    case .violation:
      throw Violation(.resetTwice(stream: id))
    case .none:
      if wasEnded { try abuse.spend(.lateFrames, now: now) }
    case .deliver, .drop, .tellFinished, .sendStop:
      preconditionFailure("a reset by the peer")
    }
    endReceiving(key)
    forgetIfOver(key)
  }

  /// The peer's half has ended: what was still to be said about it is of no use. Only a refused opening is
  /// answered by both frames in any case.
  private mutating func endReceiving(_ key: StreamKey) {
    streams[key].due.remove(.credit)
    if !streams[key].isRefused { streams[key].due.remove(.stop) }
    endAssembly(key)
  }

  private mutating func receiveStop(_ id: UInt64, _ code: ErrorCode, now: NIODeadline) throws(Violation) {
    guard let key = try target(id, .stop, now: now) else { return }
    switch streams[key].sending.handle(.stopReceived(code)) {
    case .sendResetAndTellOwner(let code):
      streams[key].queue.drop()
      makeDue(.reset, key)
      events.append(.stopped(key, code))
    case .none:
      try abuse.spend(.lateFrames, now: now)
    case .sendReset, .drop, .bug:
      preconditionFailure("a stop by the peer")
    }
    forgetIfOver(key)
  }
}
