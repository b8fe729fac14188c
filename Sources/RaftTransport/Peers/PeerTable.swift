import NIOCore
import StreamMux

/// Decides which connection carries which call, what is dialled, and which of two connections between the same peers
/// stays (R-PAIR-1 to R-PAIR-12).
///
/// It is a plain value: what happens comes in through its methods, what is to be done goes out as actions, and it
/// knows neither sockets nor tasks nor clocks. The same events in the same order give the same actions. This file
/// holds the state and the routing of calls; dialling and arbitration have files of their own.
///
/// A connection is in the table from the attempt to dial, or from being accepted, until the table has refused or
/// ended it or it is told ``closed(_:error:now:)``; what is told of it afterwards changes nothing.
struct PeerTable {
  struct Configuration {
    let localID: ServerID
    let backOff: BackOff
    /// How many connections there may be, those that are being made included.
    var maximumConnections = 1_024
    /// How many calls may wait for one target.
    let maximumWaitingCalls: Int
    /// How long a call waits for the connection in whose favour ours was refused, before it dials again.
    var winnerPatience = TimeAmount.seconds(1)
    /// How long after its pause a failure still counts as one of those in a row.
    var failureMemory = TimeAmount.minutes(1)
    /// Displacements per minute that are still ordinary.
    var ordinaryDisplacements = 3
  }

  let configuration: Configuration
  var links: [LinkID: LinkRecord] = [:]
  var dials: [DialTarget: DialRecord] = [:]
  /// The connection that carries our calls to a server.
  private(set) var routes: [ServerID: LinkID] = [:]
  /// Which server was found at an address; only as long as it has a route.
  private(set) var addresses: [ServerAddress: ServerID] = [:]
  /// What we were asked to call: only there is a peer believed that connects to us (R-PAIR-14).
  private var knownTargets: Set<DialTarget> = []
  /// When connections of a server were displaced within the last minute.
  var displacements: [ServerID: [NIODeadline]] = [:]
  private(set) var isShutDown = false
  private var nextLinkID: UInt64 = 0
  private var random: SplitMix64

  init(configuration: Configuration, seed: UInt64) {
    self.configuration = configuration
    self.random = SplitMix64(seed: seed)
  }

  // MARK: Calls

  /// A call wants a connection; it gets exactly one `resume` or `fail`, now or later, unless it is withdrawn.
  mutating func call(
    _ ticket: CallTicket, id: ServerID, address: ServerAddress, now: NIODeadline
  ) -> [PeerTableAction] {
    if isShutDown {
      return [.fail(ticket, TransportError(.shutdown, "", delivery: .notDelivered))]
    }
    let target = DialTarget(address: address, id: id)
    remember(target)
    if let link = route(to: id, at: address) { return [.resume(ticket, link)] }

    let record = dials[target, default: DialRecord()]
    if case .resting(let until, let error) = record.state, now < until {
      return [.fail(ticket, error.fastFailure(of: target, remaining: until - now))]
    }
    guard record.waiters.count < configuration.maximumWaitingCalls else {
      let message = "\(record.waiters.count) calls already wait for \(address); raise `limits.waitingCalls`"
      return [.fail(ticket, TransportError(.tooManyCalls, message, delivery: .notDelivered))]
    }
    dials[target, default: record].waiters.append(ticket)
    awaitRouteInSight(of: target, now: now)
    return dialIfNothingIsUnderWay(target)
  }

  /// A call no longer waits (its task was cancelled or its time is up).
  mutating func withdraw(_ ticket: CallTicket, id: ServerID, address: ServerAddress) {
    // An attempt that is under way goes on: the next call will be glad of it.
    dials[DialTarget(address: address, id: id)]?.waiters.removeAll { $0 == ticket }
  }

  /// Ends everything: waiting calls fail, connections close, later calls are refused.
  mutating func shutDown() -> [PeerTableAction] {
    isShutDown = true
    let waiting = dials.sorted { $0.key < $1.key }.flatMap(\.value.waiters)
    dials = [:]
    return waiting.map { .fail($0, TransportError(.shutdown, "", delivery: .notDelivered)) }
      + liveLinks.map { .close($0, .shutdown, text: "the server shuts down") }
  }

  /// Every connection that stands or is being made.
  var liveLinks: [LinkID] { links.keys.sorted() }

  /// Connections from others whose handshakes are not complete.
  var handshakeCount: Int {
    links.values.count { !$0.isDialled && $0.isHandshaking }
  }

  // MARK: Routes

  /// The connection for a call, if there is one already.
  ///
  /// Where another server was found than the call wants there is none: the address may have moved, which only an
  /// attempt to dial it can show.
  func route(to id: ServerID, at address: ServerAddress) -> LinkID? {
    if let owner = addresses[address], id.isEmpty || id == owner { return routes[owner] }
    // Who has proven its name is believed where it says that it lives, by those who ask for it by that name.
    guard let link = routes[id], let peer = links[link]?.identity, peer.standing == .proven,
      peer.advertisedAddress == address
    else { return nil }
    return link
  }

  /// Whether we were asked to call a server at an address, so that its connection from there can be confirmed.
  func isKnown(_ id: ServerID, at address: ServerAddress) -> Bool {
    knownTargets.contains(DialTarget(address: address, id: id))
      || knownTargets.contains(DialTarget(address: address, id: ""))
  }

  /// A connection from the server that a call is for, whose claim to live at the call's address is still to be
  /// confirmed.
  func unconfirmed(_ id: ServerID, at address: ServerAddress) -> LinkID? {
    links
      .filter { _, record in
        guard !record.isDialled, let peer = record.welcomedPeer, peer.standing == .claimed else {
          return false
        }
        return peer.advertisedAddress == address && (id.isEmpty || id == peer.id)
      }
      .keys.max()
  }

  /// A connection comes from where its peer lives: our calls may run on it from now on (R-PAIR-14).
  mutating func confirmed(_ link: LinkID) -> [PeerTableAction] {
    links[link]?.confirm()
    guard let record = links[link], record.isEstablished, let identity = record.identity else { return [] }
    addRoute(to: identity.id, on: link)
    return settleAdvertised(identity, on: link) + winnerDecided(identity.id)
  }

  private mutating func remember(_ target: DialTarget) {
    // The bound is far above any cluster; whoever is forgotten is known again with the next call.
    if knownTargets.count >= 4_096 { knownTargets = [] }
    knownTargets.insert(target)
  }

  /// A connection that may carry our calls is established; it is used rather than older ones.
  mutating func addRoute(to id: ServerID, on link: LinkID) {
    routes[id] = link
  }

  /// A connection is no route any more; an older one takes its place, if one is left.
  mutating func removeRoute(to id: ServerID, on link: LinkID) {
    guard routes[id] == link else { return }
    routes[id] =
      links
      .filter { $0.value.isEstablished && $0.value.mayCarryOurCalls && $0.value.identity?.id == id }
      .keys.max()
    if routes[id] == nil { addresses = addresses.filter { $0.value != id } }
  }

  /// A server with a route was found at an address: the calls that wait for it there go on.
  mutating func settle(_ address: ServerAddress, owner: ServerID, on link: LinkID) -> [PeerTableAction] {
    addresses[address] = owner
    return resumeWaiters(of: DialTarget(address: address, id: owner), on: link)
      + resumeWaiters(of: DialTarget(address: address, id: ""), on: link)
  }

  mutating func resumeWaiters(of target: DialTarget, on link: LinkID) -> [PeerTableAction] {
    guard let record = dials.removeValue(forKey: target) else { return [] }
    // An attempt that is still under way will be settled by arbitration; it has nobody waiting any more.
    if case .dialling = record.state { dials[target] = DialRecord(state: record.state) }
    return record.waiters.map { .resume($0, link) }
  }

  // MARK: Sources of identifiers and chance

  mutating func makeLinkID() -> LinkID {
    nextLinkID += 1
    return LinkID(rawValue: nextLinkID)
  }

  mutating func randomFraction() -> Double {
    Double.random(in: 0...1, using: &random)
  }
}

extension TransportError {
  fileprivate func fastFailure(of target: DialTarget, remaining: TimeAmount) -> TransportError {
    let milliseconds = max(1, remaining.nanoseconds / 1_000_000)
    return TransportError(
      code, "\(target.address) is tried again in \(milliseconds) ms; last time: \(message)",
      delivery: .notDelivered, underlying: underlying)
  }
}
