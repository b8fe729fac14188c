import NIOCore
import StreamMux

@testable import RaftTransport

/// Dialling, the check of identities, and what goes wrong on the way.
extension PeerSimulation {
  private static let connectTimeout = TimeAmount.seconds(2)

  func dial(_ address: ServerAddress, target: ServerID, link: LinkID, from server: Int) {
    guard let place = locations[address] else { return dialFailed(link, of: server, "no such host") }
    let start = servers[server].start
    connect(place, target: target, link: link, from: server, start, deadline: now + Self.connectTimeout)
  }

  private func connect(
    _ place: Int, target: ServerID, link: LinkID, from server: Int, _ start: Int, deadline: NIODeadline
  ) {
    guard isAlive(server, start) else { return }
    guard now < deadline else { return dialFailed(link, of: server, "timeout") }
    guard !blocked.contains([server, place]), !blocked.contains([place, server]), servers[place].isPowered
    else {
      // The request to connect is repeated until it gets through or time is up.
      return schedule(after: .milliseconds(500)) {
        $0.connect(place, target: target, link: link, from: server, start, deadline: deadline)
      }
    }
    let acceptorStart = servers[place].start
    let isListening = servers[place].isRunning && !(isTroubled && chance(20))
    schedule(after: networkDelay) { simulation in
      guard simulation.isAlive(server, start) else { return }
      guard isListening else { return simulation.dialFailed(link, of: server, "refused") }
      guard simulation.servers[server].cancelledDials.remove(link) == nil else {
        return simulation.dialFailed(link, of: server, "cancelled")
      }
      simulation.connected(link, of: server, to: place, acceptorStart, target: target)
    }
  }

  private func dialFailed(_ link: LinkID, of server: Int, _ reason: String) {
    note("\(server) cannot connect \(link): \(reason)")
    update(server) {
      $0.closed(link, error: TransportError(.unreachable, reason, delivery: .notDelivered), now: now)
    }
  }

  private func connected(
    _ link: LinkID, of server: Int, to place: Int, _ acceptorStart: Int, target: ServerID
  ) {
    let nonce = Nonce.random(using: &random)
    let dialler = PeerSimulationEnd(
      server: server, start: servers[server].start, link: link,
      engine: engine(.dialler, of: server, nonce: nonce, target: target), diallerNonce: nonce)
    let acceptor = PeerSimulationEnd(
      server: place, start: acceptorStart, link: LinkID(rawValue: 0),
      engine: engine(.acceptor, of: place, nonce: .random(using: &random), target: ""), diallerNonce: nonce)
    dialler.join(acceptor)
    ends += [dialler, acceptor]
    servers[server].ends[link] = dialler
    if isTroubled, chance(options.earlyCutsPerMille) { planEarlyCut(dialler) }
    if let count = silenceAfter.popLast() {
      for end in [dialler, acceptor] {
        end.segmentsUntilFault = (
          count,
          { _ in
            dialler.isMuted = true
            acceptor.isMuted = true
          }
        )
      }
    }
    dialler.send(.open, self)
    dialler.pump(self)
  }

  private func engine(_ role: Role, of server: Int, nonce: Nonce, target: ServerID) -> MuxConnection {
    let configuration = MuxConfiguration.defaults
    let limits = configuration.limits
    do {
      let hello = try Hello(
        features: [], methods: .none, maximumFramePayload: UInt32(limits.maximumFramePayload),
        initialWindow: UInt32(limits.initialWindow), streamCredit: limits.streamCredit,
        incarnation: servers[server].incarnation, nonce: nonce, clusterID: "simulation",
        serverID: servers[server].id.rawValue, address: servers[server].address.rawValue,
        targetServerID: target.rawValue)
      return MuxConnection(
        role: role, hello: hello, expectedServerID: target.isEmpty ? nil : target.rawValue,
        configuration: configuration, seed: random.next(), now: now)
    } catch {
      preconditionFailure("the HELLO is legal: \(error)")
    }
  }

  /// Finds out how well a peer's identity was earned, and tells the table.
  func authenticate(_ end: PeerSimulationEnd, _ hello: Hello) {
    let isDialler = end.engine.role == .dialler
    let isHidden = options.hiddenServers.contains(end.peer.server)
    let isChecked = isDialler || !(isHidden || (isTroubled && chance(options.failedChecksPerMille)))
    let identity = PeerIdentity(
      id: ServerID(hello.serverID), advertisedAddress: ServerAddress(hello.address),
      incarnation: hello.incarnation, standing: isChecked ? .addressChecked : .claimed)
    end.peerIdentity = identity
    let tell: (PeerSimulation) -> Void = { simulation in
      guard simulation.isAlive(end.server, end.start) else { return }
      simulation.note("\(end.server) authenticated \(end.link) \(identity.standing)")
      simulation.update(end.server) { $0.authenticated(end.link, identity, now: simulation.now) }
    }
    // An acceptor may have to ask a resolver first.
    if isDialler || chance(500) { tell(self) } else { schedule(after: delay(0...40_000), tell) }
  }

  // MARK: Faults

  /// Strikes a connection in one of its first moments.
  private func planEarlyCut(_ dialler: PeerSimulationEnd) {
    let end = chance(500) ? dialler : dialler.peer
    let count = Int.random(in: 0...4, using: &random)
    end.segmentsUntilFault = (count, { $0.strike(end) })
  }

  /// Something happens to a connection: reset at one or both ends, or its path dies in one or both directions.
  func strike(_ end: PeerSimulationEnd) {
    guard isTroubled else { return }
    note("fault at \(end.link) of \(end.server)")
    switch Int.random(in: 0..<5, using: &random) {
    case 0:
      end.lose(self)
      schedule(after: networkDelay) { end.peer.lose($0) }
    case 1:
      end.lose(self)
    case 2:
      end.isMuted = true
    case 3:
      end.isMuted = true
      end.peer.isMuted = true
    default:
      if isAlive(end.server, end.start), end.isSocketOpen, end.link.rawValue != 0 { end.drain(self) }
    }
  }

  func randomFault() {
    let server = Int.random(in: 0..<servers.count, using: &random)
    let other = (server + Int.random(in: 1..<servers.count, using: &random)) % servers.count
    switch Int.random(in: 0..<10, using: &random) {
    case 0:
      shutDown(server)
      schedule(after: delay(10_000...3_000_000)) { $0.startAgain(server) }
    case 1:
      stop(server, withItsMachine: chance(400))
      schedule(after: delay(10_000...3_000_000)) { $0.startAgain(server) }
    case 2, 3:
      partition(server, other, isOneWay: chance(500))
    default:
      let open = ends.filter { $0.isSocketOpen && isAlive($0.server, $0.start) }
      if let end = open.randomElement(using: &random) { strike(end) }
    }
  }

  /// A server ends in good order: every waiting call is told.
  private func shutDown(_ server: Int) {
    guard servers[server].isRunning else { return }
    note("\(server) shuts down")
    update(server) { $0.shutDown() }
    for (ticket, call) in calls where call.server == server && call.isWaiting {
      problem("call \(ticket) waits after the shutdown")
    }
    let start = servers[server].start
    schedule(after: delay(0...100_000)) { simulation in
      if simulation.isAlive(server, start) { simulation.stop(server, withItsMachine: false) }
    }
  }

  /// A server's connections end without a word to its peers: its machine restarts, or a middlebox has forgotten them.
  func loseEverything(_ server: Int, restarts: Bool) {
    if restarts {
      stop(server, withItsMachine: true)
      return startAgain(server)
    }
    for end in ends where end.server == server && end.isSocketOpen {
      end.isMuted = true
      end.peer.isMuted = true
      end.lose(self)
    }
  }

  func stop(_ server: Int, withItsMachine: Bool) {
    guard servers[server].isRunning else { return }
    note("\(server) stops \(withItsMachine)")
    servers[server].isRunning = false
    servers[server].isPowered = !withItsMachine
    for end in ends where end.server == server && end.start == servers[server].start {
      end.die(self, tellsPeer: !withItsMachine)
    }
    servers[server].ends = [:]
    servers[server].cancelledDials = []
    calls = calls.filter { $0.value.server != server || !$0.value.isWaiting }
  }

  func startAgain(_ server: Int) {
    guard !servers[server].isRunning else { return }
    servers[server].isRunning = true
    servers[server].isPowered = true
    servers[server].start += 1
    // Now and then the clock was set back.
    if chance(100) { servers[server].incarnation -= 5 } else { servers[server].incarnation += 1 }
    servers[server].timerDue = nil
    servers[server].table = Self.table(servers[server].id, seed: random.next())
    note("\(server) starts")
  }

  private func partition(_ server: Int, _ other: Int, isOneWay: Bool) {
    note("partition \(server) \(other) \(isOneWay)")
    blocked.insert([server, other])
    if !isOneWay { blocked.insert([other, server]) }
    schedule(after: delay(100_000...8_000_000)) { simulation in
      simulation.heal { $0 == [server, other] || $0 == [other, server] }
    }
  }

  func heal(_ concerned: ([Int]) -> Bool) {
    blocked = blocked.filter { !concerned($0) }
    for end in ends where !end.held.isEmpty && concerned([end.server, end.peer.server]) {
      schedule(after: delay(1_000...1_000_000)) { simulation in
        if !simulation.blocked.contains([end.server, end.peer.server]) { end.sendHeld(simulation) }
      }
    }
  }
}
