import Logging
import NIOCore
import StreamMux
import Synchronization

/// Carries out what the peer table decides, and tells it what happens.
///
/// The table is touched under a lock and its actions run behind it; each action is a message to one link or one
/// waiting call. Actions of two threads may overtake each other: what comes too late for a link changes nothing, and
/// a dial that overtakes the shutdown finds it when its socket is made.
final class PeerDirectory: Sendable {
  struct State {
    var table: PeerTable
    var links: [LinkID: LinkState] = [:]
    /// Every socket that is open, also of connections that are over but not closed yet.
    var channels = ChannelSet()
    /// Accepted ones that have not said yet what they speak.
    var unrouted = ChannelSet()
    var waitingCalls: [CallTicket: CallResult<Link>] = [:]
    var nextTicket: UInt64 = 0
    var timer: Scheduled<Void>?
    var methods = MethodMemory()

    /// Connections from an address whose handshakes are not complete (R-LIM-10).
    func handshakeCount(from source: String?) -> Int {
      guard let source else { return 0 }
      let routed = links.count { id, link in
        link.source == source && table.links[id].map { !$0.isDialled && $0.isHandshaking } ?? false
      }
      return routed + unrouted.all.count { PeerDirectory.source(of: $0) == source }
    }
  }

  struct LinkState {
    let link: Link
    /// The sockets of an attempt to dial: one for each address of the peer that was tried.
    var channels: [any Channel] = []
    /// Whether the handshake's driver is in place; before that, closing means closing the channel.
    var isStarted = false
    /// Where the other end is.
    var source: String?
    /// The nonce of the dialler's HELLO, which names the connection to both sides.
    var nonce: Nonce?
    /// Looks its address up and asks the user's authorization; not needed any more when the connection is gone.
    var admission: Task<Void, Never>?
  }

  let state: Mutex<State>
  private let dialler: Dialler
  let settings: EngineSettings
  let services: InboundServices
  let oldPeers: OldPeerDirectory
  let security: TransportSecurity
  let eventLoop: any EventLoop
  let maximumHandshakes: Int
  let maximumHandshakesPerAddress: Int
  /// What is served on accepted connections.
  let admissionRules: AdmissionRules
  let logger: Logger
  /// For what may hang.
  let waits: BoundedWaits
  let addressChecks: AddressChecks

  init(
    configuration: TransportConfiguration, settings: EngineSettings, services: InboundServices,
    oldPeers: OldPeerDirectory, eventLoop: any EventLoop
  ) {
    self.settings = settings
    self.services = services
    self.oldPeers = oldPeers
    security = configuration.security
    self.eventLoop = eventLoop
    maximumHandshakes = configuration.limits.handshakes
    admissionRules = configuration.admissionRules
    maximumHandshakesPerAddress = configuration.limits.handshakesPerAddress
    logger = configuration.logger
    waits = BoundedWaits(eventLoop: eventLoop)
    addressChecks = AddressChecks(network: settings.environment.network, eventLoop: eventLoop)
    dialler = Dialler(
      settings: settings, services: services, security: configuration.security,
      connectTimeout: configuration.timeout > .zero ? TimeAmount(configuration.timeout) : .seconds(10),
      lookups: HostLookups(system: configuration.lookUp),
      logger: configuration.logger)
    let tableConfiguration = PeerTable.Configuration(
      localID: configuration.serverID,
      backOff: BackOff(
        first: TimeAmount(configuration.dialling.firstPause),
        longest: TimeAmount(configuration.dialling.longestPause)),
      maximumConnections: configuration.limits.connections,
      maximumWaitingCalls: configuration.limits.waitingCalls)
    state = Mutex(
      State(table: PeerTable(configuration: tableConfiguration, seed: settings.environment.random())))
  }

  /// The time that deadlines are given in.
  var now: NIODeadline { eventLoop.now }

  // MARK: Calls

  /// The connection for a call; makes one where there is none.
  ///
  /// - Parameter deadline: Until when the call waits; `nil` for as long as dialling takes.
  /// - Throws: ``TransportError``, always with `notDelivered`.
  func link(to id: ServerID, at address: ServerAddress, deadline: NIODeadline?) async throws -> Link {
    // A caller's mistake fails each time in the same words, and is not remembered as a failure of the address.
    let host = try HostPort(address.rawValue).host
    try await confirmAccepted(id, at: address, host: host, deadline: deadline)
    let result = CallResult<Link>()
    let ticket = register(result, id: id, address: address)
    let timer = deadline.map { deadline in
      eventLoop.scheduleTask(deadline: deadline) {
        let message = "no connection to \(address) in time"
        self.withdraw(ticket, id, address, TransportError(.timeout, message, delivery: .notDelivered))
      }
    }
    defer { if !settings.environment.has(.leavesCallTimer) { timer?.cancel() } }
    return try await result.value {
      self.withdraw(ticket, id, address, TransportError(.cancelled, "", delivery: .notDelivered))
    }
  }

  /// A peer may have connected to us before we were asked to call it: now that we are, its connection may prove to
  /// come from where we would dial (R-PAIR-14).
  private func confirmAccepted(
    _ id: ServerID, at address: ServerAddress, host: String, deadline: NIODeadline?
  ) async throws {
    let candidate: (link: LinkID, source: String)? = state.withLock { state in
      guard let link = state.table.unconfirmed(id, at: address), let source = state.links[link]?.source else {
        return nil
      }
      return (link, source)
    }
    guard let candidate else { return }
    let found = try await waits.value(until: deadline, late: "'\(host)' was not looked up in time") {
      try await self.addressChecks.addresses(of: host)
    }
    guard found.contains(candidate.source) else { return }
    update { $0.confirmed(candidate.link) }
    noteSpokenRMUX(candidate.link)
  }

  /// The connection for a call, if it stands already.
  func establishedLink(to id: ServerID, at address: ServerAddress) -> Link? {
    state.withLock { state in
      state.table.route(to: id, at: address).flatMap { state.links[$0]?.link }
    }
  }

  /// The next call to a peer dials, though calls have failed there before.
  func forgetFailures(of target: DialTarget) {
    state.withLock { $0.table.forgetFailures(of: target) }
  }

  private func register(_ result: CallResult<Link>, id: ServerID, address: ServerAddress) -> CallTicket {
    let (ticket, actions) = state.withLock { state in
      state.nextTicket += 1
      let ticket = CallTicket(rawValue: state.nextTicket)
      state.waitingCalls[ticket] = result
      return (ticket, state.table.call(ticket, id: id, address: address, now: now))
    }
    run(actions)
    return ticket
  }

  private func withdraw(
    _ ticket: CallTicket, _ id: ServerID, _ address: ServerAddress, _ error: TransportError
  ) {
    let result = state.withLock { state in
      state.table.withdraw(ticket, id: id, address: address)
      return state.waitingCalls.removeValue(forKey: ticket)
    }
    result?.complete(.failure(error))
  }

  // MARK: Connections

  /// Ends the connections that stand in good order; the next call makes a new one. Those that are being made are
  /// new enough.
  func drain() {
    // The table hears it first: the drivers begin when their event loops come to it, and a call must not choose one
    // of these connections until then.
    let (links, actions) = state.withLock { state in
      let drained = state.table.drainEstablished(now: now)
      return (drained.links.compactMap { state.links[$0]?.link }, drained.actions)
    }
    for link in links { link.send(.perform { $0.drain() }) }
    run(actions)
  }

  /// Ends all connections in good order and waits until they are gone, but not longer than `patience`.
  func drain(patience: TimeAmount) async {
    drain()
    for channel in state.withLock({ $0.unrouted.all }) { channel.close(promise: nil) }
    let timedOut = eventLoop.makePromise(of: Void.self)
    let timer = eventLoop.scheduleTask(in: patience) { timedOut.succeed() }
    let closed = EventLoopFuture.andAllComplete(
      state.withLock { $0.channels.all.map(\.closeFuture) }, on: eventLoop)
    closed.cascade(to: timedOut)
    try? await timedOut.futureResult.get()
    timer.cancel()
  }

  /// Ends everything; returns when every socket is closed.
  func shutDown() async {
    let (actions, unrouted, timer) = state.withLock { state in
      (state.table.shutDown(), state.unrouted.all, state.timer.take())
    }
    timer?.cancel()
    waits.shutDown()
    // On the event loop this ends the attempts to dial before anything else happens there, so that none of them gets
    // as far as a socket any more.
    try? await eventLoop.submit { self.dialler.lookups.shutDown() }.get()
    for channel in unrouted { channel.close(promise: nil) }
    run(actions)
    // The address behind one that was given up may have been tried meanwhile.
    while let channel = state.withLock({ $0.channels.all.first }) {
      try? await channel.closeFuture.get()
    }
  }

  /// What the established connections are doing.
  func statistics() async -> TransportStatistics {
    let established = state.withLock { state in
      state.table.links.compactMap { id, record -> (Link, PeerIdentity, LinkRecord)? in
        guard record.isEstablished, let identity = record.identity, let link = state.links[id]?.link else {
          return nil
        }
        return (link, identity, record)
      }
    }
    var connections: [TransportStatistics.Connection] = []
    for (link, identity, record) in established {
      let (isDialled, carriesCalls) = (record.isDialled, record.mayCarryOurCalls)
      let result = CallResult<TransportStatistics.Connection>()
      let isAsked = link.send(
        .perform { driver in
          result.complete(
            .success(driver.statistics(identity: identity, isDialled: isDialled, carriesCalls: carriesCalls)))
        })
      if isAsked, let connection = try? await result.value(onCancel: {}) { connections.append(connection) }
    }
    return TransportStatistics(
      connections: connections.sorted { ($0.peerID, $0.localPort) < ($1.peerID, $1.localPort) },
      events: services.counters.all)
  }

  // MARK: Actions

  func update(_ body: (inout PeerTable) -> [PeerTableAction]) {
    run(state.withLock { body(&$0.table) })
  }

  private func run(_ actions: [PeerTableAction]) {
    for action in actions { run(action) }
    armTimer()
  }

  private func run(_ action: PeerTableAction) {
    switch action {
    case .dial(let address, let target, let id):
      dial(address, target: target, id)
    case .resume(let ticket, let id):
      if settings.environment.has(.forgetsWaitingCalls) { return }
      let (result, link) = state.withLock { state in
        (state.waitingCalls.removeValue(forKey: ticket), state.links[id]?.link)
      }
      result?.complete(link.map { .success($0) } ?? .failure(.connectionGone("")))
    case .fail(let ticket, let error):
      state.withLock { $0.waitingCalls.removeValue(forKey: ticket) }?.complete(.failure(error))
    case .accept(let id, let grantsRoute):
      send(to: id) { $0.accept(grantsRoute: grantsRoute) }
    case .refuse(let id, .duplicate, _, _) where settings.environment.has(.keepsDuplicate):
      send(to: id) { $0.accept(grantsRoute: true) }
    case .refuse(let id, .staleIncarnation, _, _)
    where settings.environment.has(.acceptsStaleIncarnation):
      send(to: id) { $0.accept(grantsRoute: true) }
    case .refuse(let id, let code, let text, let winner):
      let nonce = winner.flatMap { winner in state.withLock { $0.links[winner]?.nonce } }
      send(to: id) { $0.refuse(Refusal(code: code, text: text, winner: nonce)) }
    case .probe(let id, let inAnyCase):
      send(to: id) { $0.probe(inAnyCase: inAnyCase) }
    case .close(_, .displaced, _) where settings.environment.has(.neverDisplaces):
      break
    case .close(let id, let code, let text):
      close(id, code, text)
    case .alarm(let id, let text):
      services.peerLog.log(.displacement, .warning, "\(text)", metadata: ["server": "\(id)"], to: logger)
    }
  }

  private func send(to id: LinkID, _ body: @escaping @Sendable (ConnectionDriver) -> Void) {
    state.withLock { $0.links[id]?.link }?.send(.perform(body))
  }

  private func close(_ id: LinkID, _ code: ErrorCode, _ text: String) {
    guard let entry = state.withLock({ $0.links[id] }) else { return }
    if entry.isStarted {
      entry.link.send(.perform { $0.close(code, text: text) })
    } else {
      for channel in entry.channels { channel.close(promise: nil) }
    }
  }

  private func dial(_ address: ServerAddress, target: ServerID, _ id: LinkID) {
    services.counters.add(\.dialled)
    let link = Link(id: id, eventLoop: eventLoop)
    let hasUsedTLS = state.withLock { state in
      state.links[id] = LinkState(link: link)
      return state.methods.hasUsedTLS(target)
    }
    dialler.dial(
      address, target: target, layer: security.layerForDialling(hasUsedTLS: hasUsedTLS), link: link,
      observer: self,
      began: { channel in
        let isShutDown = self.state.withLock { state in
          state.links[id]?.channels.append(channel)
          return state.table.isShutDown
        }
        self.track(channel)
        if isShutDown { channel.close(promise: nil) }
      },
      started: { nonce in
        self.state.withLock { state in
          state.links[id]?.nonce = nonce
          state.links[id]?.channels = []
          state.links[id]?.isStarted = true
        }
      },
      failed: { error in
        self.services.counters.add(\.dialFailures)
        self.remove(link, error)
      })
  }

  func turnAway(_ source: String?) {
    services.counters.add(\.turnedAway)
    services.peerLog.log(
      .turnedAway, .warning, "too many connections are in the handshake; one was closed",
      metadata: ["address": "\(source ?? "")"], to: logger)
  }

  func track(_ channel: any Channel) {
    let key = ObjectIdentifier(channel)
    state.withLock { $0.channels.insert(channel) }
    channel.closeFuture.whenComplete { _ in
      self.state.withLock { $0.channels.remove(key) }
    }
  }

  func remove(_ link: Link, _ error: TransportError) {
    let actions = state.withLock { state in
      state.links.removeValue(forKey: link.id)?.admission?.cancel()
      return state.table.closed(link.id, error: error, now: now)
    }
    run(actions)
  }

  private func armTimer() {
    let old: Scheduled<Void>? = state.withLock { state in
      let old = state.timer.take()
      guard let deadline = state.table.nextDeadline else { return old }
      state.timer = eventLoop.scheduleTask(deadline: deadline) {
        self.update { $0.handleTimeout(now: self.now) }
      }
      return old
    }
    old?.cancel()
  }
}
