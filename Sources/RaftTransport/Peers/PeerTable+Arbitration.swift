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
    guard case .connecting = links[link]?.stage else { return [] }
    return judge(link, identity, now: now)
  }

  /// A probe that was asked for has ended.
  mutating func probeEnded(_ link: LinkID, answered: Bool, now: NIODeadline) -> [PeerTableAction] {
    guard links[link]?.isProbed == true else { return [] }
    links[link]?.isProbed = false
    if answered {
      return challengers(of: link).flatMap { challenger, identity in
        refuse(challenger, identity, for: link, now: now)
      }
    }
    return displace(
      link, text: "a newer connection takes the place of this one, which does not answer", now: now)
  }

  /// Both sides said WELCOME.
  mutating func established(
    _ link: LinkID, peerGrantsRoute: Bool, now: NIODeadline
  ) -> [PeerTableAction] {
    guard !isShutDown, let record = links[link], case .welcomed(let identity) = record.stage else {
      return []
    }
    links[link]?.stage = .established(identity, peerGrantsRoute: peerGrantsRoute)
    var actions: [PeerTableAction] = []
    if record.mayCarryOurCalls {
      addRoute(to: identity.id, on: link)
      actions +=
        record.isDialled ? attemptSucceeded(link, owner: identity.id) : settleAdvertised(identity, on: link)
    }
    return actions + winnerDecided(identity.id) + probeElders(of: link, identity)
  }

  /// The peer refused a connection in the handshake.
  mutating func refused(
    _ link: LinkID, error: TransportError, isDuplicate: Bool, now: NIODeadline
  ) -> [PeerTableAction] {
    var actions: [PeerTableAction] = []
    if isDuplicate, let winner = links[link]?.identity?.id {
      actions += attemptLost(link, to: winner, now: now)
    }
    // Calls may have waited for a connection that the peer made.
    let maker = links[link].flatMap { $0.isDialled ? nil : $0.identity?.id }
    actions += attemptFailed(link, error: error, now: now) + retire(link, now: now)
    return actions + (maker.map { winnerDecided($0) } ?? [])
  }

  /// One side wants no new streams on a connection.
  mutating func draining(_ link: LinkID, now: NIODeadline) -> [PeerTableAction] {
    guard let identity = links[link]?.identity else { return [] }
    links[link]?.stage = .draining(identity)
    removeRoute(to: identity.id, on: link)
    return judgeChallengers(of: link, now: now)
  }

  /// We want no new streams on any connection that stands; answers which these are, and what follows.
  mutating func drainEstablished(now: NIODeadline) -> (links: [LinkID], actions: [PeerTableAction]) {
    let standing = links.filter(\.value.isEstablished).keys.sorted()
    return (standing, standing.flatMap { draining($0, now: now) })
  }

  /// A connection is gone.
  mutating func closed(_ link: LinkID, error: TransportError, now: NIODeadline) -> [PeerTableAction] {
    let peer = links[link]?.identity?.id
    let actions = attemptFailed(link, error: error, now: now) + retire(link, now: now)
    return actions + (peer.map { winnerDecided($0) } ?? [])
  }

  // MARK: Judgement

  /// Decides about a connection whose peer is known: welcome it, refuse it, or ask its incumbent for a sign of life.
  private mutating func judge(
    _ link: LinkID, _ identity: PeerIdentity, now: NIODeadline
  ) -> [PeerTableAction] {
    guard let newcomer = links[link] else { return [] }
    guard !isShutDown else {
      return refuse(link, .shutdown, "the server shuts down", now: now)
    }
    guard newcomer.isDialled || links.count <= configuration.maximumConnections else {
      return refuse(link, .busy, "the server has as many connections as it takes; try again later", now: now)
    }
    let isArbiter = configuration.localID > identity.id
    let incumbents = links.filter { other, record in
      guard other != link, let holder = record.welcomedPeer, holder.id == identity.id else { return false }
      return holder.provesStale(identity) || isArbiter && record.covers(newcomer)
    }
    let beaten = incumbents.filter { isBeaten($0.value, by: identity) }.keys.sorted()
    guard let incumbent = incumbents.keys.filter({ !beaten.contains($0) }).max() else {
      return welcome(link, identity)
        + beaten.flatMap { displace($0, text: "a better connection takes the place of this one", now: now) }
    }
    guard let record = incumbents[incumbent], record.isEstablished,
      let holder = record.identity, holder.standing <= identity.standing
    else { return refuse(link, identity, for: incumbent, now: now) }

    links[link]?.stage = .challenging(identity, incumbent: incumbent)
    // A peer that started again proves nothing by what its last life sent.
    return probe(incumbent, inAnyCase: holder.incarnation < identity.incarnation)
  }

  /// Whether an incumbent has to go whether it is alive or not: it is weaker than the newcomer (R-PAIR-3), or it is
  /// of an earlier start of the peer and nothing runs on it yet (R-PAIR-18).
  private func isBeaten(_ incumbent: LinkRecord, by newcomer: PeerIdentity) -> Bool {
    guard let holder = incumbent.welcomedPeer else { return true }
    if holder.standing < newcomer.standing { return true }
    return !incumbent.isEstablished && holder.standing == newcomer.standing
      && holder.incarnation < newcomer.incarnation
  }

  private mutating func welcome(_ link: LinkID, _ identity: PeerIdentity) -> [PeerTableAction] {
    links[link]?.stage = .welcomed(identity)
    return [.accept(link, grantsRoute: identity.standing >= .addressChecked)]
  }

  /// The incumbent is alive, or it must not be questioned for this newcomer.
  private mutating func refuse(
    _ link: LinkID, _ identity: PeerIdentity, for incumbent: LinkID, now: NIODeadline
  ) -> [PeerTableAction] {
    if links[incumbent]?.welcomedPeer?.provesStale(identity) ?? false {
      return refuse(link, .staleIncarnation, "a later start of \(identity.id) is connected already", now: now)
    }
    let text = "another connection joins the two servers already"
    return [.refuse(link, .duplicate, text: text, winner: incumbent)]
      + attemptLost(link, to: identity.id, now: now) + retire(link, now: now)
  }

  private mutating func refuse(
    _ link: LinkID, _ code: ErrorCode, _ text: String, now: NIODeadline
  ) -> [PeerTableAction] {
    let error = TransportError(.refused, text, delivery: .notDelivered)
    return [.refuse(link, code, text: text, winner: nil)] + attemptFailed(link, error: error, now: now)
      + retire(link, now: now)
  }

  private mutating func displace(_ link: LinkID, text: String, now: NIODeadline) -> [PeerTableAction] {
    guard let peer = links[link]?.identity?.id else { return [] }
    return [.close(link, .displaced, text: text)] + attemptLost(link, to: peer, now: now)
      + retire(link, now: now) + winnerDecided(peer) + noteDisplacement(of: peer, now: now)
  }

  /// A connection leaves the table; those who want its place are judged anew.
  private mutating func retire(_ link: LinkID, now: NIODeadline) -> [PeerTableAction] {
    guard let record = links.removeValue(forKey: link) else { return [] }
    if let peer = record.identity?.id { removeRoute(to: peer, on: link) }
    return judgeChallengers(of: link, now: now)
  }

  // MARK: Challengers

  /// The connections that want the place of an incumbent, the best first.
  private func challengers(of incumbent: LinkID) -> [(LinkID, PeerIdentity)] {
    links
      .compactMap { link, record in
        if case .challenging(let identity, incumbent) = record.stage { (link, identity) } else { nil }
      }
      .sorted { ($0.1.standing, $0.1.incarnation, $0.0) > ($1.1.standing, $1.1.incarnation, $1.0) }
  }

  /// The incumbent has no say any more: its challengers are judged anew. The best one takes the place, and the others
  /// find it taken.
  private mutating func judgeChallengers(of incumbent: LinkID, now: NIODeadline) -> [PeerTableAction] {
    challengers(of: incumbent).flatMap { judge($0, $1, now: now) }
  }

  private mutating func probe(_ link: LinkID, inAnyCase: Bool) -> [PeerTableAction] {
    guard links[link]?.isProbed == false else { return [] }
    links[link]?.isProbed = true
    return [.probe(link, inAnyCase: inAnyCase)]
  }

  /// On the side that does not arbitrate, a new connection means that the arbiter has lost the older ones; whether
  /// that is so is asked before they go (R-PAIR-17). A connection of another start of the peer is asked, too.
  private mutating func probeElders(of link: LinkID, _ identity: PeerIdentity) -> [PeerTableAction] {
    guard let record = links[link] else { return [] }
    let elders = links.filter { elder, other in
      guard elder != link, other.isEstablished, let holder = other.identity, holder.id == identity.id else {
        return false
      }
      return holder.standing <= identity.standing
        && (other.covers(record) || holder.incarnation != identity.incarnation)
    }
    return elders.keys.sorted().flatMap { probe($0, inAnyCase: true) }
  }

  // MARK: Addresses and alarms

  /// A peer that connected from where it lives can be called there (R-PAIR-14). What we found ourselves by dialling
  /// counts for more than what a peer says; and what a peer has proven is its name, so that calls by that name may go to
  /// it, but not calls for whoever answers at an address (R-PAIR-19).
  mutating func settleAdvertised(_ identity: PeerIdentity, on link: LinkID) -> [PeerTableAction] {
    let address = identity.advertisedAddress
    guard !address.rawValue.isEmpty else { return [] }
    guard identity.standing != .proven, addresses[address, default: identity.id] == identity.id else {
      return resumeWaiters(of: DialTarget(address: address, id: identity.id), on: link)
    }
    return settle(address, owner: identity.id, on: link)
  }

  private mutating func noteDisplacement(of peer: ServerID, now: NIODeadline) -> [PeerTableAction] {
    displacements[peer, default: []].append(now)
    displacements = displacements.compactMapValues { times in
      let recent = times.filter { now < $0 + .minutes(1) }
      return recent.isEmpty ? nil : recent
    }
    let count = displacements[peer]?.count ?? 0
    guard count > configuration.ordinaryDisplacements else { return [] }
    let text = "\(count) connections of one server were displaced within a minute: do two use its ID?"
    return [.alarm(peer, text: text)]
  }
}
