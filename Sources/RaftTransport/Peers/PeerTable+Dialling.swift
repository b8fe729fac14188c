import NIOCore
import StreamMux

extension PeerTable {
  /// Starts an attempt for an address that has waiting calls and nothing under way.
  mutating func dialIfNeeded(_ address: ServerAddress) -> [PeerTableAction] {
    guard let record = dials[address], let first = record.waiters.first else { return [] }
    switch record.state {
    case .dialling, .awaitingWinner:
      return []
    case .idle, .pausing:
      let link = makeLinkID()
      links[link] = LinkRecord(direction: .dialled(address))
      dials[address]?.state = .dialling(link, target: first.id)
      return [.dial(address, target: first.id, link)]
    }
  }

  /// An attempt to dial failed before the connection was established; its waiting calls fail with it.
  mutating func attemptFailed(
    _ link: LinkID, at address: ServerAddress, error: TransportError, now: NIODeadline
  ) -> [PeerTableAction] {
    guard var record = dials[address], case .dialling(link, let target) = record.state else { return [] }
    // That another server lives there answers only the calls for the one that was looked for, and says nothing
    // against the address.
    let isAboutTheServer = error.code == .wrongServer
    let concerned = record.waiters.filter { !isAboutTheServer || $0.id == target }
    record.waiters.removeAll { waiter in concerned.contains { $0.ticket == waiter.ticket } }
    record.failures += isAboutTheServer ? 0 : 1
    let pause = configuration.backOff.pause(afterFailures: record.failures, random: randomFraction())
    record.state = pause > .zero ? .pausing(until: now + pause, error) : .idle
    dials[address] = record
    forgetOldPauses(now: now)
    return concerned.map { .fail($0.ticket, error) } + dialIfNeeded(address)
  }

  /// The peer refused our connection in favour of another one between us.
  mutating func attemptWasDuplicate(
    _ link: LinkID, at address: ServerAddress, of id: ServerID, now: NIODeadline
  ) -> [PeerTableAction] {
    guard case .dialling(link, _) = dials[address]?.state else { return [] }
    if let winner = routableLink(to: id) { return settle(address, owner: id, link: winner) }
    dials[address]?.state = .awaitingWinner(id, until: now + configuration.winnerPatience)
    return []
  }

  /// The time until which something waits, if anything does.
  var nextDeadline: NIODeadline? {
    dials.values.compactMap { record in
      if case .awaitingWinner(_, let until) = record.state { until } else { nil }
    }.min()
  }

  /// Dials again where the winner did not appear in time.
  mutating func handleTimeout(now: NIODeadline) -> [PeerTableAction] {
    let late = dials.filter { _, record in
      if case .awaitingWinner(_, let until) = record.state { until <= now } else { false }
    }
    return late.keys.flatMap { redial($0) }
  }

  /// Dials for an address whose expected winner is of no use.
  mutating func redial(_ address: ServerAddress) -> [PeerTableAction] {
    dials[address]?.state = .idle
    let actions = dialIfNeeded(address)
    forgetIfIdle(address)
    return actions
  }

  /// Keeps the table from growing with addresses that were called once and never again.
  private mutating func forgetOldPauses(now: NIODeadline) {
    guard dials.count > 64 else { return }
    dials = dials.filter { _, record in
      guard record.waiters.isEmpty, case .pausing(let until, _) = record.state else { return true }
      return now < until + .minutes(1)
    }
  }
}
