import NIOCore
import StreamMux

@testable import RaftTransport

/// One peer table under test, with a clock and short words for what happens to it.
struct PeerTableHarness {
  /// An action in a form that compares.
  enum Outcome: Equatable {
    case dial(String, target: String, UInt64)
    case resume(UInt64, on: UInt64)
    case fail(UInt64, TransportError.Code)
    case accept(UInt64, route: Bool)
    case refuse(UInt64, ErrorCode, winner: UInt64?)
    case probe(UInt64)
    case close(UInt64, ErrorCode)
    case alarm(String)

    init(_ action: PeerTableAction) {
      self =
        switch action {
        case .dial(let address, let target, let link):
          .dial(address.rawValue, target: target.rawValue, link.rawValue)
        case .resume(let ticket, let link): .resume(ticket.rawValue, on: link.rawValue)
        case .fail(let ticket, let error): .fail(ticket.rawValue, error.code)
        case .accept(let link, let grantsRoute): .accept(link.rawValue, route: grantsRoute)
        case .refuse(let link, let code, _, let winner):
          .refuse(link.rawValue, code, winner: winner?.rawValue)
        case .probe(let link, _): .probe(link.rawValue)
        case .close(let link, let code, _): .close(link.rawValue, code)
        case .alarm(let id, _): .alarm(id.rawValue)
        }
    }
  }

  var table: PeerTable
  var now = NIODeadline.uptimeNanoseconds(1_000_000_000)

  /// - Parameter localID: `m` is between the peers `a` (we arbitrate) and `z` (they do).
  init(_ localID: ServerID = "m", maximumWaitingCalls: Int = 4) {
    table = PeerTable(
      configuration: PeerTable.Configuration(
        localID: localID, backOff: BackOff(first: .milliseconds(100), longest: .seconds(1)),
        maximumWaitingCalls: maximumWaitingCalls),
      seed: 7)
  }

  static func peer(
    _ id: ServerID, standing: PeerIdentity.Standing = .addressChecked, incarnation: UInt64 = 10,
    address: ServerAddress? = nil
  ) -> PeerIdentity {
    PeerIdentity(
      id: id, advertisedAddress: address ?? ServerAddress("\(id):1"), incarnation: incarnation,
      standing: standing)
  }

  mutating func pass(_ time: TimeAmount) { now = now + time }

  mutating func call(_ ticket: UInt64, _ id: ServerID, _ address: ServerAddress) -> [Outcome] {
    table.call(CallTicket(rawValue: ticket), id: id, address: address, now: now).map(Outcome.init)
  }

  mutating func withdraw(_ ticket: UInt64, _ id: ServerID, _ address: ServerAddress) {
    table.withdraw(CallTicket(rawValue: ticket), id: id, address: address)
  }

  mutating func accepted() -> UInt64 { table.accepted().rawValue }

  mutating func authenticated(_ link: UInt64, _ peer: PeerIdentity) -> [Outcome] {
    table.authenticated(LinkID(rawValue: link), peer, now: now).map(Outcome.init)
  }

  mutating func established(_ link: UInt64, peerGrantsRoute: Bool = true) -> [Outcome] {
    table.established(LinkID(rawValue: link), peerGrantsRoute: peerGrantsRoute, now: now).map(Outcome.init)
  }

  mutating func refused(_ link: UInt64, _ code: TransportError.Code, isDuplicate: Bool = false) -> [Outcome] {
    let error = TransportError(code, "", delivery: .notDelivered)
    return table.refused(LinkID(rawValue: link), error: error, isDuplicate: isDuplicate, now: now)
      .map(Outcome.init)
  }

  mutating func closed(_ link: UInt64, _ code: TransportError.Code = .unreachable) -> [Outcome] {
    let error = TransportError(code, "", delivery: .notDelivered)
    return table.closed(LinkID(rawValue: link), error: error, now: now).map(Outcome.init)
  }

  mutating func draining(_ link: UInt64) -> [Outcome] {
    table.draining(LinkID(rawValue: link), now: now).map(Outcome.init)
  }

  mutating func probeEnded(_ link: UInt64, answered: Bool) -> [Outcome] {
    table.probeEnded(LinkID(rawValue: link), answered: answered, now: now).map(Outcome.init)
  }

  mutating func timeout() -> [Outcome] { table.handleTimeout(now: now).map(Outcome.init) }

  mutating func shutDown() -> [Outcome] { table.shutDown().map(Outcome.init) }

  /// A connection that a peer made and both welcomed.
  mutating func connectedFrom(_ peer: PeerIdentity) -> UInt64 {
    let link = accepted()
    _ = authenticated(link, peer)
    _ = established(link)
    return link
  }

  /// A connection that we made, for a call with the given ticket, and both welcomed.
  mutating func connectedTo(
    _ peer: PeerIdentity, at address: ServerAddress, ticket: UInt64 = 900, peerGrantsRoute: Bool = true
  ) -> UInt64 {
    guard case .dial(_, _, let link)? = call(ticket, peer.id, address).first else { return 0 }
    _ = authenticated(link, peer)
    _ = established(link, peerGrantsRoute: peerGrantsRoute)
    return link
  }
}
