import NIOCore
import StreamMux
import Synchronization

/// What becomes of connections, told to the table.
extension PeerDirectory: ConnectionObserver {
  func connection(_ link: Link, establishedGrantingRoute grantsRoute: Bool) {
    services.counters.add(\.established)
    update { $0.established(link.id, peerGrantsRoute: grantsRoute, now: now) }
    noteSpokenRMUX(link.id)
  }

  /// A peer that is what it says has spoken RMUX: it is not taken for an old one any more (R-CLS-22). A mere claim
  /// does not count, or a stranger could keep us from calling an old peer.
  func noteSpokenRMUX(_ link: LinkID) {
    let targets = state.withLock { state -> [DialTarget] in
      guard let record = state.table.links[link], record.mayCarryOurCalls, let identity = record.identity
      else {
        return []
      }
      // Where we dialled, the address that the peer names besides is a mere claim.
      guard case .dialled(let target) = record.direction else {
        return [DialTarget(address: identity.advertisedAddress, id: identity.id)]
      }
      return [DialTarget(address: target.address, id: identity.id)]
    }
    for target in targets { oldPeers.spokeRMUX(target) }
  }

  func connection(_ link: Link, refused refusal: Refusal) {
    let isDuplicate =
      refusal.code == .duplicate && !settings.environment.has(.takesDuplicateForFailure)
    let error = TransportError(TransportError.Code(refusal.code), "\(refusal)", delivery: .notDelivered)
    update { $0.refused(link.id, error: error, isDuplicate: isDuplicate, now: now) }
  }

  func connectionDraining(_ link: Link) {
    update { $0.draining(link.id, now: now) }
  }

  func connection(_ link: Link, probeAnswered: Bool) {
    if settings.environment.has(.probeNeverEnds) { return }
    update { $0.probeEnded(link.id, answered: probeAnswered, now: now) }
  }

  func connection(_ link: Link, closed closure: Closure, unheard: Bool) {
    services.counters.add(closure)
    let code: TransportError.Code
    switch closure {
    case .refused(let refusal), .refusedByPeer(let refusal): code = TransportError.Code(refusal.code)
    default: code = .unreachable
    }
    if settings.environment.has(.keepsRouteOfDead) { return }
    let error = TransportError(code, closure.explanation, delivery: .notDelivered)
    guard unheard, closure == .endOfInput, let target = possibleOldPeer(behind: link.id) else {
      return remove(link, error)
    }
    // Calls wait a moment longer, and know then whether it is worth their while to try the old protocol.
    oldPeers.look(at: target) { mayBeOld in
      guard mayBeOld else { return self.remove(link, error) }
      self.remove(
        link,
        TransportError(
          code, closure.explanation, delivery: .notDelivered, underlying: ClosedInSilence()))
    }
  }

  /// Whom we dialled, unless he has shown himself by something better before than an old peer could (R-SEC-9).
  private func possibleOldPeer(behind link: LinkID) -> DialTarget? {
    state.withLock { state in
      guard case .dialled(let target) = state.table.links[link]?.direction,
        state.methods.objection(to: .none, from: target.id) == nil
      else { return nil }
      return target
    }
  }
}

extension TransportError.Code {
  /// What a refusal of the handshake means to a call that waits for the connection.
  fileprivate init(_ refusal: ErrorCode) {
    self =
      switch refusal {
      case .wrongServer: .wrongServer
      case .unauthenticated: .unauthenticated
      case .unauthorized: .unauthorized
      default: .refused
      }
  }
}
