internal import DequeModule
package import NIOCore

/// From the first byte to both WELCOMEs.
extension MuxConnection {
  /// The owner wants the connection: the answer to `peerAuthenticated`.
  ///
  /// - Parameter grantsRoute: this side will use the connection for its own calls, too. Only the acceptor's
  ///   word counts.
  package mutating func accept(grantsRoute: Bool, now: NIODeadline) {
    guard phase == .handshaking else { return }
    run(handshake.accept(grantsRoute: grantsRoute), now: now)
    settle(now: now)
  }

  /// The owner does not want the connection: the answer to `peerAuthenticated`, or any time before.
  package mutating func refuse(_ refusal: Refusal, now: NIODeadline) {
    guard phase == .handshaking else { return }
    run(handshake.refuse(refusal), now: now)
    settle(now: now)
  }

  /// The answer to `proofNeeded`: at most 256 bytes.
  package mutating func provideProof(_ proof: [UInt8], now: NIODeadline) {
    guard phase == .handshaking else { return }
    run(handshake.provideProof(proof), now: now)
    settle(now: now)
  }

  /// The answer to `proofReceived`.
  package mutating func proofWasChecked(isValid: Bool, now: NIODeadline) {
    guard phase == .handshaking else { return }
    run(handshake.proofWasChecked(isValid: isValid), now: now)
    settle(now: now)
  }

  private mutating func settle(now: NIODeadline) {
    noteOutput(now: now)
    closeOutputIfDone(now: now)
    assertInvariants()
  }

  /// Reads the preface off the front of what was received. False: it is not complete.
  mutating func readPreface(_ bytes: inout ByteBuffer, now: NIODeadline) throws(Violation) -> Bool {
    guard !preface.isComplete else { return true }
    guard try preface.read(&bytes) else { return false }
    run(handshake.receivePreface(), now: now)
    return true
  }

  mutating func handleInHandshake(_ event: FrameEvent, now: NIODeadline) {
    run(handshake.receive(event), now: now)
  }

  mutating func run(_ actions: [HandshakeAction], now: NIODeadline) {
    for action in actions {
      run(action, now: now)
    }
  }

  private mutating func run(_ action: HandshakeAction, now: NIODeadline) {
    switch action {
    case .sendPreface:
      sendInHandshake { _, buffer in FrameEncoder.writePreface(into: &buffer) }
    case .send(let frame):
      sendInHandshake { encoder, buffer in encoder.write(frame, into: &buffer) }
    case .endOutgoingHandshake(let isChecksummed):
      encoder.isChecksummed = isChecksummed
    case .endIncomingHandshake(let isChecksummed):
      decoder.endHandshake(isChecksummed: isChecksummed)
    case .computeProof(let context):
      events.append(.proofNeeded(context))
    case .verifyProof(let proof, let context):
      events.append(.proofReceived(proof, context))
    case .peerAuthenticated(let peer, let agreement):
      peerHello = peer
      events.append(.peerAuthenticated(peer, agreement))
    case .established(let grantsRoute):
      establish(grantsRoute: grantsRoute, now: now)
    case .refusedByPeer(let refusal):
      events.append(.refused(refusal))
      end(.refusedByPeer(refusal))
    case .refused(let refusal):
      end(.refused(refusal))
    case .failed(let violation):
      end(.violation(violation))
    }
  }

  private mutating func sendInHandshake(_ write: (FrameEncoder, inout ByteBuffer) -> Void) {
    var buffer = handshakeOutput.popLast() ?? ByteBuffer()
    write(encoder, &buffer)
    handshakeOutput.append(buffer)
  }

  private mutating func establish(grantsRoute: Bool, now: NIODeadline) {
    guard let peerHello else { preconditionFailure("established with nobody") }
    phase = .running
    for trafficClass in TrafficClass.allCases {
      allowances[trafficClass] = StreamAllowance(initial: peerHello.streamCredit[trafficClass])
    }
    // R-FRM-12: peers that are never shown an unknown frame come to rely on that.
    control.markIgnorable()
    // Windows cannot grow before the round trip is known (R-LIV-12).
    control.appendPing(pings.send(.keepAlive, now: now))
    events.append(.established(grantsRoute: grantsRoute))
    admitPending()
  }
}
