import NIOCore
import StreamMux

extension PeerTable {
  /// Starts an attempt for a target that has waiting calls and nothing under way.
  mutating func dialIfNothingIsUnderWay(_ target: DialTarget) -> [PeerTableAction] {
    switch dials[target]?.state {
    case nil, .dialling, .awaitingWinner:
      return []
    case .idle, .resting:
      let link = makeLinkID()
      links[link] = LinkRecord(direction: .dialled(target))
      dials[target]?.state = .dialling(link)
      return [.dial(target.address, target: target.id, link)]
    }
  }

  /// The target of an attempt that is still under way: a connection that we dial and that is not established yet.
  func attempt(of link: LinkID) -> DialTarget? {
    guard case .dialled(let target) = links[link]?.direction, case .dialling(link) = dials[target]?.state
    else {
      return nil
    }
    return target
  }

  /// An attempt succeeded: its server was found at its address.
  mutating func attemptSucceeded(_ link: LinkID, owner: ServerID) -> [PeerTableAction] {
    guard case .dialled(let target) = links[link]?.direction else { return [] }
    if case .dialling(link) = dials[target]?.state { dials[target]?.state = .idle }
    return settle(target.address, owner: owner, on: link)
  }

  /// An attempt failed; its waiting calls fail with it, and the target is left alone for a while.
  mutating func attemptFailed(_ link: LinkID, error: TransportError, now: NIODeadline) -> [PeerTableAction] {
    guard let target = attempt(of: link), let record = dials.removeValue(forKey: target) else { return [] }
    forgetOldFailures(now: now)
    // Where the peer has connected to us meanwhile, the failure is of no interest: nobody waits for the attempt.
    guard route(to: target.id, at: target.address) == nil else { return [] }
    let failures = record.failures + 1
    let pause = configuration.backOff.pause(afterFailures: failures, random: randomFraction())
    dials[target] = DialRecord(state: .resting(until: now + pause, error), failures: failures)
    return record.waiters.map { .fail($0, error) }
  }

  /// An attempt lost against another connection between us and the server that it found (R-PAIR-6): its calls run on
  /// that one, now or when it is established.
  mutating func attemptLost(_ link: LinkID, to owner: ServerID, now: NIODeadline) -> [PeerTableAction] {
    guard let target = attempt(of: link) else { return [] }
    dials[target]?.state = .awaitingWinner(owner, until: now + configuration.winnerPatience)
    if let route = routes[owner] { return settle(target.address, owner: owner, on: route) }
    // The winner may be here already and be no route for us, which the arbiter may not have known when it refused
    // us. If it refuses us again, waiting is better than asking a third time.
    let isWinnerHere = links.values.contains { $0.isEstablished && $0.identity?.id == owner }
    let isAwaitedInVain = isWinnerHere && !isRouteInSight(to: owner, besides: link)
    guard isAwaitedInVain, dials[target]?.hasLost == false else { return [] }
    dials[target]?.hasLost = true
    return redial(target)
  }

  /// A connection with a server was established or lost: the calls that wait for the winner go on with its route, or
  /// dial again where no route is in sight.
  mutating func winnerDecided(_ owner: ServerID) -> [PeerTableAction] {
    let targets = dials.keys.filter { target in
      if case .awaitingWinner(owner, _) = dials[target]?.state { true } else { false }
    }
    if let route = routes[owner] {
      return targets.sorted().flatMap { settle($0.address, owner: owner, on: route) }
    }
    return isRouteInSight(to: owner) ? [] : targets.sorted().flatMap { redial($0) }
  }

  /// Whether a connection that may carry our calls to a server is about to be established.
  private func isRouteInSight(to id: ServerID, besides loser: LinkID? = nil) -> Bool {
    links.contains { link, record in
      link != loser && record.isHandshaking && record.welcomedPeer?.id == id && record.mayCarryOurCalls
    }
  }

  /// The peer was faster: its connection, whose handshake is under way, will carry the calls for a target. One that we
  /// dial meanwhile might be welcomed as well, since our WELCOME may have gone out without `route`, and the pair would
  /// keep both (R-PAIR-15, R-PAIR-16). The waiting is bounded like that for a winner.
  mutating func awaitRouteInSight(of target: DialTarget, now: NIODeadline) {
    switch dials[target]?.state {
    case nil, .dialling, .awaitingWinner:
      return
    case .idle, .resting:
      let owners = links.values.compactMap { record -> ServerID? in
        guard !record.isDialled, record.isHandshaking, record.mayCarryOurCalls,
          let peer = record.welcomedPeer, peer.advertisedAddress == target.address
        else { return nil }
        // A proven name says nothing about who answers at an address (R-PAIR-19).
        let isMeant = target.id.isEmpty ? peer.standing != .proven : peer.id == target.id
        return isMeant ? peer.id : nil
      }
      guard let owner = owners.min() else { return }
      dials[target]?.state = .awaitingWinner(owner, until: now + configuration.winnerPatience)
    }
  }

  /// The time until which something waits, if anything does.
  var nextDeadline: NIODeadline? {
    dials.values.compactMap { record in
      if case .awaitingWinner(_, let until) = record.state { until } else { nil }
    }.min()
  }

  /// Dials again where the winner did not appear in time.
  mutating func handleTimeout(now: NIODeadline) -> [PeerTableAction] {
    let late = dials.keys.filter { target in
      if case .awaitingWinner(_, let until) = dials[target]?.state { until <= now } else { false }
    }
    return late.sorted().flatMap { redial($0) }
  }

  private mutating func redial(_ target: DialTarget) -> [PeerTableAction] {
    guard dials[target]?.waiters.isEmpty == false else {
      dials[target] = nil
      return []
    }
    dials[target]?.state = .idle
    return dialIfNothingIsUnderWay(target)
  }

  /// What failed at a target before says nothing any more: the next call dials.
  mutating func forgetFailures(of target: DialTarget) {
    if case .resting = dials[target]?.state { dials[target] = nil }
  }

  /// Keeps the table from growing with targets that were called once and never again.
  private mutating func forgetOldFailures(now: NIODeadline) {
    dials = dials.filter { _, record in
      guard case .resting(let until, _) = record.state else { return true }
      return now < until + configuration.failureMemory
    }
  }
}
