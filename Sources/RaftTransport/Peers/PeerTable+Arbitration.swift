import NIOCore
import StreamMux

/// One connection per pair: the greater server ID is the sole arbiter (R-PAIR). It welcomes the first connection
/// that completes authentication and refuses later ones; the other side welcomes whatever the arbiter welcomes.
extension PeerTable {
  /// A peer has connected to us; who it is comes with ``authenticated(_:_:now:)``.
  mutating func accepted() -> LinkID {
    let link = makeLinkID()
    links[link] = LinkRecord(direction: .accepted)
    return link
  }

  /// The handshake has shown who is at the other end; the answer is ours to give.
  mutating func authenticated(
    _ link: LinkID, _ identity: PeerIdentity, now: NIODeadline
  ) -> [PeerTableAction] {
    guard let record = links[link] else { return [] }
    if isShutDown {
      return [.refuse(link, .shutdown, text: "the server shuts down", winner: nil)]
    }
    guard configuration.localID > identity.id, let incumbent = incumbent(against: record, identity) else {
      return welcome(link, identity)
    }
    let isSettled = links[incumbent]?.isEstablished ?? false
    let mayDisplace = identity.standing >= (links[incumbent]?.identity?.standing ?? .claimed)
    let hasChallenger = probes[incumbent].flatMap { $0 } != nil
    guard isSettled, mayDisplace, !hasChallenger else {
      return refuseAsDuplicate(link, of: incumbent, now: now)
    }

    links[link]?.stage = .challenging(identity, incumbent: incumbent)
    let isProbed = probes[incumbent] != nil
    probes[incumbent] = .some(link)
    return isProbed ? [] : [.probe(incumbent)]
  }

  /// A probe that was asked for has ended.
  mutating func probeEnded(_ link: LinkID, answered: Bool, now: NIODeadline) -> [PeerTableAction] {
    guard let challenger = probes.removeValue(forKey: link) else { return [] }
    if answered {
      guard let challenger else { return [] }
      // One that came to be drained meanwhile is no reason to refuse anybody.
      let isOfUse = links[link]?.isEstablished ?? false
      return isOfUse ? refuseAsDuplicate(challenger, of: link, now: now) : challengerWins(challenger)
    }
    let peer = links[link]?.identity?.id
    let closing: [PeerTableAction] = [
      .close(link, .displaced, text: "a newer connection takes the place of this one, which does not answer")
    ]
    let actions = closing + remove(link, now: now)
    return actions + challengerWins(challenger) + noteDisplacement(of: peer, now: now)
  }

  /// Both sides said WELCOME.
  mutating func established(
    _ link: LinkID, peerGrantsRoute: Bool, now: NIODeadline
  ) -> [PeerTableAction] {
    guard let record = links[link], case .welcomed(let identity) = record.stage else { return [] }
    links[link]?.stage = .established(identity, peerGrantsRoute: peerGrantsRoute)
    var actions: [PeerTableAction] = []
    if record.mayCarryOurCalls {
      switch record.direction {
      case .dialled(let address): actions += settle(address, owner: identity.id, link: link)
      case .accepted where identity.advertisedAddress.rawValue.isEmpty: break
      case .accepted: actions += settle(identity.advertisedAddress, owner: identity.id, link: link)
      }
    }
    for address in addressesAwaitingWinner(identity.id) {
      if record.mayCarryOurCalls {
        actions += settle(address, owner: identity.id, link: link)
      } else {
        actions += redial(address)
      }
    }
    return actions + probeElders(of: link, identity)
  }

  /// The peer refused a connection in the handshake.
  mutating func refused(
    _ link: LinkID, error: TransportError, isDuplicate: Bool, now: NIODeadline
  )
    -> [PeerTableAction]
  {
    guard let record = links[link] else { return [] }
    guard case .dialled(let address) = record.direction else { return remove(link, now: now) }
    if isDuplicate, let id = record.identity?.id {
      return attemptWasDuplicate(link, at: address, of: id, now: now) + remove(link, now: now)
    }
    return attemptFailed(link, at: address, error: error, now: now) + remove(link, now: now)
  }

  /// The peer wants no new streams on a connection, or we do not.
  mutating func draining(_ link: LinkID) {
    guard let identity = links[link]?.identity else { return }
    links[link]?.stage = .draining(identity)
    forgetUnreachableAddresses(of: identity.id)
  }

  /// We want no new streams on any connection that stands; answers which these are.
  mutating func drainEstablished() -> [LinkID] {
    let standing = links.filter(\.value.isEstablished).map(\.key)
    for link in standing { draining(link) }
    return standing
  }

  /// A connection is gone.
  mutating func closed(_ link: LinkID, error: TransportError, now: NIODeadline) -> [PeerTableAction] {
    guard let record = links[link] else { return [] }
    var actions: [PeerTableAction] = []
    if case .dialled(let address) = record.direction {
      actions += attemptFailed(link, at: address, error: error, now: now)
    }
    actions += remove(link, now: now)
    if let challenger = probes.removeValue(forKey: link) { actions += challengerWins(challenger) }
    return actions
  }

  // MARK: Decisions

  /// The connection that makes a new one between the same peers needless, if there is one.
  private func incumbent(against newcomer: LinkRecord, _ identity: PeerIdentity) -> LinkID? {
    links
      .filter { $0.value.identity?.id == identity.id && $0.value.covers(newcomer) }
      .map(\.key)
      .max { $0.rawValue < $1.rawValue }
  }

  private mutating func welcome(_ link: LinkID, _ identity: PeerIdentity) -> [PeerTableAction] {
    links[link]?.stage = .welcomed(identity)
    return [.accept(link, grantsRoute: identity.standing >= .addressChecked)]
  }

  private mutating func refuseAsDuplicate(
    _ link: LinkID, of winner: LinkID, now: NIODeadline
  ) -> [PeerTableAction] {
    guard let record = links[link] else { return [] }
    let refusal = PeerTableAction.refuse(
      link, .duplicate, text: "another connection joins the two servers already", winner: winner)
    guard case .dialled(let address) = record.direction, let owner = links[winner]?.identity?.id else {
      return [refusal]
    }
    // Our own attempt loses against a connection that the peer made: its calls run on that one.
    guard case .dialling(link, _) = dials[address]?.state else { return [refusal] }
    if let route = routableLink(to: owner) {
      return [refusal] + settle(address, owner: owner, link: route)
    }
    dials[address]?.state = .awaitingWinner(owner, until: now + configuration.winnerPatience)
    return [refusal]
  }

  private mutating func challengerWins(_ challenger: LinkID?) -> [PeerTableAction] {
    guard let challenger, case .challenging(let identity, _) = links[challenger]?.stage else { return [] }
    return welcome(challenger, identity)
  }

  /// On the side that does not arbitrate, a new connection means that the arbiter has lost the older ones; whether
  /// that is so is asked before they go.
  private mutating func probeElders(of link: LinkID, _ identity: PeerIdentity) -> [PeerTableAction] {
    guard let record = links[link] else { return [] }
    let elders = links.filter { elder, other in
      elder != link && other.isEstablished && other.identity?.id == identity.id
        && (other.isDialled == record.isDialled || other.identity?.incarnation != identity.incarnation)
        && probes[elder] == nil
    }
    for elder in elders.keys { probes[elder] = .some(nil) }
    return elders.keys.map { .probe($0) }
  }

  private mutating func noteDisplacement(of peer: ServerID?, now: NIODeadline) -> [PeerTableAction] {
    guard let peer else { return [] }
    let recent = displacements[peer, default: []].filter { now < $0 + .minutes(1) } + [now]
    displacements[peer] = recent
    guard recent.count > configuration.ordinaryDisplacements else { return [] }
    let text = "\(recent.count) connections of one server were displaced within a minute: do two use its ID?"
    return [.alarm(peer, text: text)]
  }

  private func addressesAwaitingWinner(_ id: ServerID) -> [ServerAddress] {
    dials.compactMap { address, record in
      if case .awaitingWinner(id, _) = record.state { address } else { nil }
    }
  }

  // MARK: Leaving

  private mutating func remove(_ link: LinkID, now: NIODeadline) -> [PeerTableAction] {
    guard let record = links.removeValue(forKey: link) else { return [] }
    // A challenger that was refused already has no part in a probe; else the next one would wait for its end.
    if case .challenging(_, let incumbent) = record.stage, probes[incumbent].flatMap({ $0 }) == link {
      probes[incumbent] = .some(nil)
    }
    if let id = record.identity?.id { forgetUnreachableAddresses(of: id) }
    guard case .dialled(let address) = record.direction else { return [] }
    // Nobody waits for an attempt that is gone; the record would keep the next call from dialling.
    if case .dialling(link, _) = dials[address]?.state { return redial(address) }
    return []
  }

  private mutating func forgetUnreachableAddresses(of id: ServerID) {
    guard routableLink(to: id) == nil else { return }
    addresses = addresses.filter { $0.value != id }
  }
}
