internal import DequeModule
package import NIOCore

/// Bytes out: which frame is next is decided when the socket can take it (R-SCH-1, R-STR-4).
extension MuxConnection {
  /// Whether there is something to send. It may turn out to be nothing, where a stream lost its reason to
  /// send meanwhile; then `nextTransmission` returns nil and this is false.
  package var hasTransmission: Bool {
    switch phase {
    case .outputClosed, .closed: false
    case .handshaking: !handshakeOutput.isEmpty
    case .running, .ending:
      !framePieces.isEmpty || frameChecksum != nil || !handshakeOutput.isEmpty || !control.isEmpty
        || scheduler.hasElections || (scheduler.hasBulk && !pacer.isHolding)
    }
  }

  /// The next bytes for the socket, or nil if there are none now. Call again until nil, or until the socket
  /// is full.
  ///
  /// Small frames are packed together. A large payload is returned as the slice that the owner wrote, with
  /// its header at the end of the packed bytes before it, so nothing large is copied.
  ///
  /// - Parameter limit: about how many bytes, at least 1. A single control frame, or 1 KiB of a stream, may
  ///   go beyond it.
  package mutating func nextTransmission(limit: Int, now: NIODeadline) -> ByteBuffer? {
    precondition(limit > 0)
    probePath(now: now)
    guard hasTransmission else { return nil }
    let transmission = fillTransmission(limit: limit, now: now)
    if let transmission { counts.bytesSent += UInt64(transmission.readableBytes) }
    // Bulk that is held back waits for acknowledgements: these are the progress then, and not what still goes past it.
    if !(scheduler.hasBulk && pacer.isHolding) {
      keepAlive.transmitted(stillPending: hasTransmission, now: now)
    }
    closeOutputIfDone(now: now)
    assertInvariants()
    return transmission
  }

  private mutating func fillTransmission(limit: Int, now: NIODeadline) -> ByteBuffer? {
    var packed = ByteBuffer()
    while true {
      // A frame that was begun comes first, whatever else became urgent meanwhile.
      if let piece = framePieces.first {
        if piece.readableBytes >= configuration.scheduling.sliceThreshold {
          if packed.readableBytes > 0 { return packed }
          framePieces.removeFirst()
          return piece
        }
        reserveOnce(&packed, limit: limit)
        packed.writeImmutableBuffer(piece)
        framePieces.removeFirst()
      } else if let checksum = frameChecksum {
        reserveOnce(&packed, limit: limit)
        encoder.finish(checksum, into: &packed)
        frameChecksum = nil
      } else if packed.readableBytes >= limit {
        break
      } else {
        reserveOnce(&packed, limit: limit)
        guard writeNextFrame(into: &packed, limit: limit, now: now) else { break }
      }
    }
    packedSize = min(max(packed.readableBytes, 256), 64 * 1_024)
    return packed.readableBytes > 0 ? packed : nil
  }

  private func reserveOnce(_ packed: inout ByteBuffer, limit: Int) {
    guard packed.readableBytes == 0 else { return }
    packed.reserveCapacity(min(limit, packedSize) + 64)
  }

  /// Writes the next frame, or its front with the payload left in `framePieces`. False: nothing waits.
  private mutating func writeNextFrame(into packed: inout ByteBuffer, limit: Int, now: NIODeadline) -> Bool {
    if let bytes = handshakeOutput.popFirst() {
      packed.writeImmutableBuffer(bytes)
      return true
    }
    while let item = control.popNext() {
      if write(item, into: &packed) { return true }
    }
    while let pick = nextPick(packed: packed.readableBytes, now: now) {
      guard streams.contains(pick.key) else { continue }
      streams[pick.key].isScheduled = false
      if pick.ring == .election, streams[pick.key].isDemoted {
        schedule(pick.key)
        continue
      }
      guard streams[pick.key].isSendable else { continue }
      writeData(pick, room: max(limit - packed.readableBytes, 1_024), into: &packed)
      return true
    }
    return false
  }

  private mutating func nextPick(packed: Int, now: NIODeadline) -> Scheduler.Pick? {
    if let pick = scheduler.nextElection(now: now) { return pick }
    guard scheduler.hasBulk, permitsBulk(packed: packed, now: now) else { return nil }
    return scheduler.nextBulk()
  }

  /// Writes a control frame. False: it lost its reason and nothing was written.
  private mutating func write(_ item: ControlQueue.Item, into packed: inout ByteBuffer) -> Bool {
    switch item {
    case .pong(let number):
      counts.framesSent.pong += 1
      encoder.write(.pong(number), into: &packed)
    case .ping(let number):
      counts.framesSent.ping += 1
      encoder.write(.ping(number), into: &packed)
    case .goAway(let goAway):
      counts.framesSent.goAway += 1
      encoder.write(.goAway(goAway), into: &packed)
    case .ignorable:
      counts.framesSent.ignorable += 1
      encoder.writeIgnorable(using: &random, into: &packed)
    case .streams(let trafficClass):
      counts.framesSent.streams += 1
      encoder.write(.streams(trafficClass, limit: grants[trafficClass].takeGrant()), into: &packed)
    case .stream(let key):
      return writeDue(key, into: &packed)
    }
    return true
  }

  /// Writes all that is due for a stream: at most three frames.
  private mutating func writeDue(_ key: StreamKey, into packed: inout ByteBuffer) -> Bool {
    guard streams.contains(key) else { return false }
    let due = streams[key].due
    let id = streams[key].id
    let before = packed.readableBytes
    streams[key].due = []
    streams[key].isInControlQueue = false
    if due.contains(.reset), case .reset(let code) = streams[key].sending {
      counts.framesSent.reset += 1
      encoder.write(.reset(stream: id, code: code), into: &packed)
    }
    if due.contains(.stop) {
      counts.framesSent.stop += 1
      encoder.write(.stop(stream: id, code: streams[key].stopCode), into: &packed)
    }
    if due.contains(.credit), streams[key].receiving.wantsCredit {
      counts.framesSent.credit += 1
      encoder.write(.credit(stream: id, limit: streams[key].receiveWindow.takeCredit()), into: &packed)
    }
    forgetIfOver(key)
    return packed.readableBytes > before
  }

  /// Cuts the next DATA frame of a stream that has something to send (R-FRM-5, R-FRM-22, R-FRM-23).
  private mutating func writeData(_ pick: Scheduler.Pick, room: Int, into packed: inout ByteBuffer) {
    let key = pick.key
    var opening: DataHeader.Opening?
    if streams[key].sending == .unopened {
      opening = DataHeader.Opening(streams[key].opening)
      streams.assign(nextOwnID, to: key)
      nextOwnID += 2
      advance(key, .openFramed)
    }
    let count = frameLength(pick, opens: opening != nil, room: room)
    streams[key].queue.take(count, into: &framePieces)
    streams[key].sendWindow.send(count)
    let isLast = streams[key].queue.isEmpty && streams[key].queue.endsAfterLastByte
    let header = DataHeader(
      stream: streams[key].id, opening: opening, isLast: isLast, hasMore: !streams[key].queue.isEmpty,
      byteCount: count)
    frameChecksum = encoder.begin(header, into: &packed)
    if frameChecksum != nil {
      for piece in framePieces { frameChecksum?.update(piece) }
    }
    counts.framesSent.data += 1
    scheduler.charge(encoder.encodedLength(of: header), to: pick.ring)
    if isLast { advance(key, .finFramed) }
    afterData(key)
  }

  private mutating func advance(_ key: StreamKey, _ event: SendingHalf.Event) {
    let action = streams[key].sending.handle(event)
    precondition(action == .none, "a frame was cut for a half that has none")
  }

  /// How many stream bytes the next frame carries.
  private func frameLength(_ pick: Scheduler.Pick, opens: Bool, room: Int) -> Int {
    guard let framePayload = peerHello?.maximumFramePayload else {
      preconditionFailure("frames are cut behind the handshake")
    }
    let group = opens ? ProtocolConstants.groupLength : 0
    var most = Int(framePayload) - group
    if pick.ring != .election {
      // A frame that was begun cannot be interrupted: it is the latency of everybody who comes later (R-PATH-1, R-SCH-7).
      most = min(most, pacer.burst(path.bottleneck) - group)
      if !scheduler.isEmpty { most = min(most, configuration.scheduling.bulkFrame) }
    }
    return streams[pick.key].queue.frameLength(
      atMost: min(most, room, streams[pick.key].sendWindow.available))
  }

  private mutating func afterData(_ key: StreamKey) {
    if streams[key].wasAboveLowWater,
      streams[key].queue.byteCount <= streams[key].lowWater ?? configuration.limits.writeLowWater
    {
      streams[key].wasAboveLowWater = false
      events.append(.writable(key))
    }
    schedule(key)
    // What became due while the stream had no id yet.
    if !streams[key].due.isEmpty { makeDue([], key) }
    forgetIfOver(key)
  }

  /// Behind the last frame that will ever be sent.
  mutating func closeOutputIfDone(now: NIODeadline) {
    guard case .ending(let closure) = phase, !hasTransmission else { return }
    phase = .outputClosed(closure)
    events.append(.shouldCloseOutput)
    if inputHasEnded { close() }
  }
}
