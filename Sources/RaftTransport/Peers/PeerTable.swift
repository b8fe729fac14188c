import NIOCore
import StreamMux

/// Decides which connection carries which call, which addresses are dialled, and which of two connections between
/// the same peers stays (R-PAIR-1 to R-PAIR-12).
///
/// It is a plain value: what happens comes in through its methods, what is to be done goes out as actions, and it
/// knows neither sockets nor tasks nor clocks. This file holds the state and the routing of calls; dialling and
/// arbitration have files of their own.
struct PeerTable {
  struct Configuration {
    let localID: ServerID
    let backOff: BackOff
    let maximumWaitingCalls: Int
    /// How long a call waits for the connection in whose favour the peer refused ours, before it dials again.
    var winnerPatience = TimeAmount.seconds(1)
    /// Displacements per minute that are still ordinary.
    var ordinaryDisplacements = 3
  }

  let configuration: Configuration
  var links: [LinkID: LinkRecord] = [:]
  var dials: [ServerAddress: DialRecord] = [:]
  /// Which server was found at an address; only as long as a connection to it lives.
  var addresses: [ServerAddress: ServerID] = [:]
  /// Connections that are being probed, each with the challenger that waits for the outcome, if any.
  var probes: [LinkID: LinkID?] = [:]
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
    if let owner = addresses[address], let link = routableLink(to: owner) {
      return [admit(DialRecord.Waiter(ticket: ticket, id: id), on: link, of: owner, address: address)]
    }
    var record = dials[address, default: DialRecord()]
    if case .pausing(let until, let error) = record.state, now < until {
      return [.fail(ticket, error.fastFailure(of: address, remaining: until - now))]
    }
    guard record.waiters.count < configuration.maximumWaitingCalls else {
      let message = "\(record.waiters.count) calls already wait for \(address); raise `limits.waitingCalls`"
      return [.fail(ticket, TransportError(.tooManyCalls, message, delivery: .notDelivered))]
    }
    record.waiters.append(DialRecord.Waiter(ticket: ticket, id: id))
    dials[address] = record
    return dialIfNeeded(address)
  }

  /// A call no longer waits (its task was cancelled or its time is up).
  mutating func withdraw(_ ticket: CallTicket, address: ServerAddress) {
    dials[address]?.waiters.removeAll { $0.ticket == ticket }
    forgetIfIdle(address)
  }

  /// Ends everything: waiting calls fail, connections close, later calls are refused.
  mutating func shutDown() -> [PeerTableAction] {
    isShutDown = true
    let waiting = dials.values.flatMap(\.waiters).map { waiter in
      PeerTableAction.fail(waiter.ticket, TransportError(.shutdown, "", delivery: .notDelivered))
    }
    dials = [:]
    let closing = links.keys.map { PeerTableAction.close($0, .shutdown, text: "the server shuts down") }
    return waiting + closing
  }

  /// Every connection that stands or is being made.
  var liveLinks: [LinkID] { Array(links.keys) }

  /// Connections whose peers have not shown yet who they are.
  var handshakeCount: Int {
    links.values.count { record in
      if case .connecting = record.stage { !record.isDialled } else { false }
    }
  }

  // MARK: Routes

  /// The connection that carries our calls to a server: the newest that may.
  func routableLink(to id: ServerID) -> LinkID? {
    links
      .filter { $0.value.isEstablished && $0.value.identity?.id == id && $0.value.mayCarryOurCalls }
      .map(\.key)
      .max { $0.rawValue < $1.rawValue }
  }

  /// The outcome for a call whose address has a connection.
  func admit(
    _ waiter: DialRecord.Waiter, on link: LinkID, of owner: ServerID, address: ServerAddress
  ) -> PeerTableAction {
    guard waiter.id.isEmpty || waiter.id == owner else {
      let message = "the call is for server '\(waiter.id)', but server '\(owner)' answers at \(address)"
      return .fail(waiter.ticket, TransportError(.wrongServer, message, delivery: .notDelivered))
    }
    return .resume(waiter.ticket, link)
  }

  /// An address leads to a server with a connection: its waiting calls go on.
  mutating func settle(_ address: ServerAddress, owner: ServerID, link: LinkID) -> [PeerTableAction] {
    addresses[address] = owner
    guard let record = dials.removeValue(forKey: address) else { return [] }
    if case .dialling(let attempt, _) = record.state, attempt != link {
      // The attempt that is still under way will be settled by arbitration; it has nobody waiting any more.
      dials[address] = DialRecord(state: record.state)
    }
    return record.waiters.map { admit($0, on: link, of: owner, address: address) }
  }

  mutating func forgetIfIdle(_ address: ServerAddress) {
    if dials[address]?.isForgettable == true { dials[address] = nil }
  }

  mutating func makeLinkID() -> LinkID {
    nextLinkID += 1
    return LinkID(rawValue: nextLinkID)
  }

  mutating func randomFraction() -> Double {
    Double.random(in: 0...1, using: &random)
  }
}

extension TransportError {
  fileprivate func fastFailure(of address: ServerAddress, remaining: TimeAmount) -> TransportError {
    let milliseconds = max(1, remaining.nanoseconds / 1_000_000)
    return TransportError(
      .unreachable, "\(address) is tried again in \(milliseconds) ms; last time: \(message)",
      delivery: .notDelivered, underlying: underlying)
  }
}
