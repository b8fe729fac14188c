internal import DequeModule
package import NIOCore

/// Time, and the ways in which a connection ends.
extension MuxConnection {
  /// How long an ending connection waits for the socket to take its last bytes and for the peer to close.
  static let endingPatience = TimeAmount.seconds(1)

  /// When `handleTimeout(now:)` has something to do; in the past if it has already. Early calls are harmless.
  ///
  /// It changes nothing. It is asked in every turn, and asking by way of `mutating` is what spares an owner that is a
  /// class a copy of the whole connection.
  package var nextDeadline: NIODeadline? {
    mutating get {
      switch phase {
      case .handshaking: return handshake.deadline
      case .running:
        var next = keepAlive.deadline
        if let deadline = drainState.deadline { next = min(next, deadline) }
        if let held = pacer.heldUntil { next = min(next, held) }
        return next
      case .ending, .outputClosed: return endingDeadline ?? .uptimeNanoseconds(0)
      case .closed: return nil
      }
    }
  }

  package mutating func handleTimeout(now: NIODeadline) {
    switch phase {
    case .handshaking:
      run(handshake.handleTimeout(now: now), now: now)
    case .running:
      pacer.handleTimeout(now: now)
      switch keepAlive.handleTimeout(now: now) {
      case .none: break
      case .sendPing: control.appendPing(pings.send(.keepAlive, now: now))
      case .giveUp: giveUp()
      }
      if phase == .running {
        run(drainState.handleTimeout(highestPeerStream: highestPeerID, now: now), now: now)
      }
    case .ending, .outputClosed:
      if let endingDeadline, now >= endingDeadline { close() }
    case .closed:
      return
    }
    noteOutput(now: now)
    closeOutputIfDone(now: now)
    assertInvariants()
  }

  /// Probes the path: the answer is told as `pong` with the returned number. Of PINGs that the socket does
  /// not take, only the newest are sent.
  package mutating func ping(now: NIODeadline) -> UInt64 {
    let number = pings.send(.probe, now: now)
    guard phase == .running else { return number }
    control.appendPing(number)
    noteOutput(now: now)
    return number
  }

  /// Ends the connection in good order: no new streams, but those that run come to their end.
  package mutating func drain(now: NIODeadline) {
    switch phase {
    case .handshaking:
      close(.shutdown, text: "", now: now)
    case .running:
      let roundTrip = path.smoothedRoundTrip ?? .zero
      run(
        drainState.drain(
          code: .shutdown, text: "", pause: max(roundTrip, configuration.liveness.drainPause), now: now),
        now: now)
      noteOutput(now: now)
      closeOutputIfDone(now: now)
      assertInvariants()
    case .ending, .outputClosed, .closed:
      break
    }
  }

  /// Ends the connection now: GOAWAY, then half-close. Streams that still run are lost.
  ///
  /// - Parameter text: for the other end's operator; at most 512 bytes are sent.
  package mutating func close(_ code: ErrorCode, text: String, now: NIODeadline) {
    switch phase {
    case .handshaking:
      let actions = handshake.refuse(Refusal(code: code, text: text)).filter {
        if case .refused = $0 { false } else { true }
      }
      run(actions, now: now)
      end(.local(code, text))
    case .running:
      end(.local(code, text), saying: goAway(code, text))
    case .ending, .outputClosed, .closed:
      return
    }
    noteOutput(now: now)
    closeOutputIfDone(now: now)
    assertInvariants()
  }

  // MARK: Drain

  private mutating func run(_ action: DrainState.Action, now: NIODeadline) {
    switch action {
    case .none:
      break
    case .announce(let goAway):
      control.append(goAway)
      control.appendPing(pings.send(.drain, now: now))
    case .conclude(let goAway):
      control.append(goAway)
      concludeDrainIfOver()
    }
  }

  mutating func receivePong(_ number: UInt64, now: NIODeadline) throws(Violation) {
    guard let answer = pings.receivePong(number, now: now) else {
      return try abuse.spend(.lateFrames, now: now)
    }
    path.measured(answer.roundTrip)
    keepAlive.measured(path.roundTrip, now: now)
    // One of them may end the connection, which answers those who asked for the others.
    for ping in answer.settled where phase == .running {
      switch ping.purpose {
      case .keepAlive: break
      case .path: pathWasProbed(ping.number, roundTrip: answer.roundTrip, now: now)
      case .probe: events.append(.pong(ping.number, roundTrip: answer.roundTrip))
      case .drain: run(drainState.receivedPong(highestPeerStream: highestPeerID), now: now)
      }
    }
  }

  mutating func receiveGoAway(_ goAway: GoAway) throws(Violation) {
    let reaction = try drainState.receive(goAway)
    peerGoAway = goAway
    events.append(.draining(lastID: goAway.isSoon ? nil : goAway.lastStream, goAway.code, goAway.text))
    // What the peer has not heard of it will not hear of any more.
    var last = nextOwnID
    if case .rejectStreams(let above) = reaction { last = above }
    for key in streams.keys where streams[key].isOwn && (streams[key].id == 0 || streams[key].id > last) {
      reject(key, goAway.code)
    }
    if goAway.code != .shutdown, goAway.code != .none {
      end(.peerError(goAway.code, goAway.text))
    } else {
      concludeDrainIfOver()
    }
  }

  /// Whether a stream still has something to bring to its end. Those that we refused have not (R-DRN-22): the
  /// peer that was refused by GOAWAY, too, forgets them without a word.
  var hasStreamsToFinish: Bool { streams.count > refusedStreams }

  /// Once one side has named its last stream and none is left, nothing can come any more: neither side may
  /// open streams.
  mutating func concludeDrainIfOver() {
    guard phase == .running, !hasStreamsToFinish else { return }
    let peerConcluded = peerGoAway.map { !$0.isSoon } ?? false
    if drainState.isConcluded || peerConcluded { end(.drained) }
  }

  // MARK: The end

  /// The peer broke the protocol.
  mutating func fail(_ violation: Violation, now: NIODeadline) {
    switch phase {
    case .handshaking: run(handshake.fail(violation), now: now)
    case .running: end(.violation(violation), saying: goAway(violation.code, violation.text))
    case .ending, .outputClosed, .closed: break
    }
  }

  /// The peer is dead, or might as well be.
  private mutating func giveUp() {
    end(.silent, saying: goAway(.silent, "nothing was heard of the peer, or it took no bytes, for too long"))
  }

  private mutating func goAway(_ code: ErrorCode, _ text: String) -> GoAway {
    drainState.fail(code: code, text: text, highestPeerStream: highestPeerID)
  }

  /// Streams are over. What still has to be sent is sent, last of all `goAway`, then the output is closed
  /// (R-DRN-17, R-DRN-18).
  mutating func end(_ closure: Closure, saying goAway: GoAway? = nil) {
    guard !phase.isOver else { return }
    phase = .ending(closure)
    incoming = nil
    scheduler.removeAll()
    if closure != .drained { control.removeAll() }
    if let goAway { control.append(goAway) }
    for key in streams.keys { streams[key].queue.drop() }
    events.append(.ending(closure))
  }

  /// The last event.
  mutating func close() {
    let closure: Closure
    switch phase {
    case .ending(let why), .outputClosed(let why): closure = why
    case .handshaking, .running, .closed: preconditionFailure("closed without an end")
    }
    phase = .closed
    framePieces.removeAll()
    handshakeOutput.removeAll()
    control.removeAll()
    events.append(.closed(closure))
  }

  /// Starts the clocks that depend on what an entry point left behind.
  mutating func noteOutput(now: NIODeadline) {
    if phase.isOver {
      if endingDeadline == nil { endingDeadline = now + Self.endingPatience }
    } else if hasTransmission || (phase == .running && scheduler.hasBulk) {
      keepAlive.outputPending(now: now)
    }
  }
}
