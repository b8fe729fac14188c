package import NIOCore

/// The owner's calls about streams, and how a stream comes and goes.
extension MuxConnection {
  /// Opens a stream. Its OPEN is framed when the scheduler comes to it, so write and finish at once what is
  /// known: it then fits into one frame.
  ///
  /// Beyond the peer's stream credit, and before the handshake is through, the stream waits here.
  package mutating func open(
    _ opening: StreamOpening, now: NIODeadline
  ) throws(OpenError) -> StreamKey {
    precondition(opening.encoding.isLegal(for: opening.trafficClass), "no encoding for this class")
    guard !phase.isOver else { throw .closed }
    guard drainState.mayOpen else { throw .draining }
    let trafficClass = opening.trafficClass
    let mustWait = !pendingOpens.isEmpty(trafficClass) || !hasRoom(for: trafficClass)
    guard !mustWait || !pendingOpens.isFull else { throw .tooManyPending }
    let key = streams.insert { key in
      Stream(
        key: key, opening: opening, isOwn: true, id: 0, sending: .unopened,
        sendWindow: SendWindow(initial: 0), receiveWindow: ReceiveWindow(initial: hello.initialWindow),
        isPending: true, isOwned: true)
    }
    counts.streams[trafficClass] += 1
    if mustWait {
      pendingOpens.append(key, trafficClass)
    } else {
      admit(key)
    }
    noteOutput(now: now)
    assertInvariants()
    return key
  }

  /// Queues bytes behind what was written before. They are kept in this very buffer until they are framed.
  package mutating func write(_ bytes: ByteBuffer, to key: StreamKey) {
    guard isWritable(key), bytes.readableBytes > 0 else { return }
    streams[key].queue.append(bytes)
    let queued = streams[key].queue.byteCount
    if queued > streams[key].lowWater ?? configuration.limits.writeLowWater {
      streams[key].wasAboveLowWater = true
    }
    if queued > configuration.scheduling.electionMessage, streams[key].opening.trafficClass == .election {
      streams[key].isDemoted = true
    }
    schedule(key)
    assertInvariants()
  }

  /// Sets how many queued bytes of this stream are so few that the owner is told of the room. Without it the limit of the
  /// configuration holds.
  ///
  /// If more are queued now, the owner is told when they have become fewer, even if it was told of room before: it may
  /// have been too little to go on with.
  package mutating func setLowWater(_ bytes: Int, of key: StreamKey) {
    precondition(bytes >= 0)
    guard streams.contains(key) else { return }
    streams[key].lowWater = bytes
    if streams[key].queue.byteCount > bytes { streams[key].wasAboveLowWater = true }
  }

  /// Ends our half behind what was written.
  package mutating func finish(_ key: StreamKey) {
    guard isWritable(key) else { return }
    streams[key].queue.finish()
    schedule(key)
    assertInvariants()
  }

  /// Ends our half now and drops what was written and not framed.
  package mutating func reset(_ key: StreamKey, code: ErrorCode) {
    guard !phase.isOver, isOwned(key) else { return }
    resetSending(key, code)
    forgetIfOver(key)
    assertInvariants()
  }

  /// Asks the peer to end its half, and delivers nothing more of it.
  package mutating func stop(_ key: StreamKey, code: ErrorCode) {
    guard !phase.isOver, isOwned(key) else { return }
    stopReceiving(key, code)
    forgetIfOver(key)
    assertInvariants()
  }

  /// The owner is done with the stream and forgets its key. A half of ours that was finished still goes out
  /// (call `reset` first to abandon it); one that was not is reset, and the peer is asked to end its own. An
  /// own stream whose OPEN was not framed vanishes.
  package mutating func release(_ key: StreamKey, code: ErrorCode = .cancelled) {
    guard !phase.isOver, isOwned(key) else { return }
    let isFinished = streams[key].queue.endsAfterLastByte && streams[key].sending != .unopened
    if !isFinished { resetSending(key, code) }
    stopReceiving(key, code)
    streams[key].isOwned = false
    dropHeld(key)
    forgetIfOver(key)
    assertInvariants()
  }

  /// Bytes that were written and not framed.
  package func queuedBytes(_ key: StreamKey) -> Int {
    streams.contains(key) ? streams[key].queue.byteCount : 0
  }

  /// Bytes that the peer may send beyond what was consumed, as the window stands now; 0 for a stale key.
  package func receiveWindow(of key: StreamKey) -> Int {
    streams.contains(key) ? Int(streams[key].receiveWindow.window) : 0
  }

  /// Whether the frame that opens the stream was handed to a transmission. If not, the peer certainly knows
  /// nothing of it.
  package func hasReachedWire(_ key: StreamKey) -> Bool {
    streams.contains(key) && streams[key].id != 0
  }

  // MARK: Coming and going

  func isOwned(_ key: StreamKey) -> Bool { streams.contains(key) && streams[key].isOwned }

  private func isWritable(_ key: StreamKey) -> Bool {
    !phase.isOver && isOwned(key) && !streams[key].sending.isEnded && !streams[key].queue.endsAfterLastByte
  }

  private func hasRoom(for trafficClass: TrafficClass) -> Bool {
    guard phase == .running, !allowances[trafficClass].isExhausted else { return false }
    return receiveBudget.hasRoom(for: hello.initialWindow, trafficClass)
  }

  /// Takes stream credit and memory for a stream for which there is room, and lets it send.
  private mutating func admit(_ key: StreamKey) {
    guard let peerHello else { preconditionFailure("streams are admitted behind the handshake") }
    let trafficClass = streams[key].opening.trafficClass
    let isAllowed = allowances[trafficClass].take()
    let isReserved = receiveBudget.reserve(hello.initialWindow, for: trafficClass)
    precondition(isAllowed && isReserved, "admitted without room")
    streams[key].holdsBudget = true
    streams[key].isPending = false
    streams[key].sendWindow = SendWindow(initial: peerHello.initialWindow)
    schedule(key)
  }

  /// Lets in those that waited, as far as there is room now.
  mutating func admitPending() {
    guard phase == .running, pendingOpens.count > 0 else { return }
    for trafficClass in TrafficClass.allCases {
      while !pendingOpens.isEmpty(trafficClass), hasRoom(for: trafficClass) {
        guard let key = takeFirstPending(trafficClass) else { break }
        admit(key)
      }
    }
  }

  private mutating func takeFirstPending(_ trafficClass: TrafficClass) -> StreamKey? {
    let key = pendingOpens.first(trafficClass, in: streams)
    if key != nil { pendingOpens.removeFirst(trafficClass) }
    return key
  }

  /// Puts the stream into the scheduler if it has something to send and is not there.
  mutating func schedule(_ key: StreamKey) {
    guard !streams[key].isScheduled, streams[key].isSendable else { return }
    streams[key].isScheduled = true
    scheduler.enqueue(key, in: streams[key].scheduledClass)
  }

  /// Marks a frame about this stream as due. While the stream has no id the mark waits for the OPEN
  /// (R-STR-23).
  mutating func makeDue(_ due: Stream.Due, _ key: StreamKey) {
    streams[key].due.insert(due)
    guard streams[key].id != 0, !streams[key].isInControlQueue else { return }
    streams[key].isInControlQueue = true
    control.append(key)
  }

  private mutating func resetSending(_ key: StreamKey, _ code: ErrorCode) {
    let wasUnopened = streams[key].sending == .unopened
    switch streams[key].sending.handle(.reset(code)) {
    case .sendReset:
      streams[key].queue.drop()
      makeDue(.reset, key)
    case .drop:
      streams[key].queue.drop()
      if wasUnopened { vanish(key, code) }
    case .none:
      break
    case .sendResetAndTellOwner, .bug:
      preconditionFailure("a reset by the owner")
    }
  }

  private mutating func stopReceiving(_ key: StreamKey, _ code: ErrorCode) {
    switch streams[key].receiving.handle(.stop(code)) {
    case .sendStop(let code):
      streams[key].stopCode = code
      streams[key].due.remove(.credit)
      endAssembly(key)
      makeDue(.stop, key)
    case .none:
      break
    case .deliver, .drop, .tellFinished, .tellReset, .violation:
      preconditionFailure("a stop by the owner")
    }
    streams[key].wasStopped = true
  }

  /// An own stream ends before its OPEN was framed: the peer never hears of it (R-STR-24).
  mutating func vanish(_ key: StreamKey, _ code: ErrorCode) {
    let trafficClass = streams[key].opening.trafficClass
    _ = streams[key].receiving.handle(.rejected(code))
    streams[key].due = []
    if streams[key].isPending {
      streams[key].isPending = false
      pendingOpens.cancel(trafficClass, in: streams)
    } else {
      allowances[trafficClass].putBack()
    }
  }

  /// The peer said, or cannot but mean, that it never processed this own stream.
  mutating func reject(_ key: StreamKey, _ code: ErrorCode) {
    if streams[key].sending == .unopened { vanish(key, code) }
    _ = streams[key].sending.handle(.rejected(code))
    _ = streams[key].receiving.handle(.rejected(code))
    streams[key].queue.drop()
    streams[key].due = []
    endAssembly(key)
    if streams[key].isOwned, !streams[key].isRejected {
      streams[key].isRejected = true
      events.append(.rejected(key, code))
    }
    forgetIfOver(key)
  }

  /// R-FLW-22: Forgets the stream if both halves have ended and its owner has released it. Only now does the
  /// peer get its stream credit back.
  mutating func forgetIfOver(_ key: StreamKey) {
    guard streams[key].isForgettable else { return }
    endAssembly(key)
    dropHeld(key)
    let (opening, isOwn, isCounted) = (streams[key].opening, streams[key].isOwn, streams[key].isCounted)
    if streams[key].grownWindow > 0 { receiveBudget.shrink(by: streams[key].grownWindow) }
    if streams[key].holdsBudget {
      receiveBudget.release(hello.initialWindow, for: opening.trafficClass)
    }
    if streams[key].isRefused {
      refusedStreams -= 1
    } else {
      counts.streams[opening.trafficClass] -= 1
    }
    let wasScheduled = streams[key].isScheduled
    streams.remove(key)
    if wasScheduled { scheduler.streamWasForgotten(by: streams) }
    if !isOwn && isCounted {
      grants[opening.trafficClass].giveBack()
      if grants[opening.trafficClass].isGrantDue { control.markStreams(opening.trafficClass) }
    }
    admitPending()
    concludeDrainIfOver()
  }
}
