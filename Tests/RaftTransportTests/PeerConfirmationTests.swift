import NIOCore
import StreamMux
import Testing

@testable import RaftTransport

/// R-PAIR-13, R-PAIR-14: our calls run on a peer's connection only if it comes from where we would call that peer.
@Suite("Connections that have to earn our calls")
struct PeerConfirmationTests {
  private let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

  private func table() -> PeerTable {
    let configuration = PeerTable.Configuration(
      localID: "a", backOff: BackOff(first: .milliseconds(50), longest: .seconds(1)), maximumWaitingCalls: 10)
    return PeerTable(configuration: configuration, seed: 1)
  }

  private func claim(_ id: ServerID, at address: ServerAddress) -> PeerIdentity {
    PeerIdentity(id: id, advertisedAddress: address, incarnation: 1, standing: .claimed)
  }

  @Test("A stranger's own address is not known, and its connection never carries our calls")
  func stranger() {
    var table = table()
    let evil = table.accepted()
    _ = table.authenticated(evil, claim("b", at: "10.6.6.6:1"), now: now)
    _ = table.established(evil, peerGrantsRoute: true, now: now)
    let actions = table.call(CallTicket(rawValue: 1), id: "b", address: "10.0.0.2:1", now: now)
    guard case .dial("10.0.0.2:1", _, _) = actions.first else {
      Issue.record("expected a dial, got \(actions)")
      return
    }
    #expect(!table.isKnown("b", at: "10.6.6.6:1"))
    #expect(table.isKnown("b", at: "10.0.0.2:1"))
    #expect(table.unconfirmed("b", at: "10.0.0.2:1") == nil)
  }

  @Test(
    "A peer that connected before we were asked to call it is confirmed when we are", arguments: ["b", ""])
  func lateConfirmation(wanted: String) {
    var table = table()
    let link = table.accepted()
    _ = table.authenticated(link, claim("b", at: "10.0.0.2:1"), now: now)
    _ = table.established(link, peerGrantsRoute: true, now: now)
    #expect(table.route(to: "b", at: "10.0.0.2:1") == nil)
    #expect(table.unconfirmed(ServerID(wanted), at: "10.0.0.2:1") == link)
    _ = table.confirmed(link)
    #expect(table.route(to: ServerID(wanted), at: "10.0.0.2:1") == link)
    #expect(table.unconfirmed(ServerID(wanted), at: "10.0.0.2:1") == nil)
  }

  @Test("A peer is not taken for another one that lives at its address")
  func otherServer() {
    var table = table()
    let link = table.accepted()
    _ = table.authenticated(link, claim("c", at: "10.0.0.2:1"), now: now)
    _ = table.established(link, peerGrantsRoute: true, now: now)
    #expect(table.unconfirmed("b", at: "10.0.0.2:1") == nil)
  }

  @Test("More connections than configured are refused as busy")
  func tooMany() {
    var table = PeerTable(
      configuration: PeerTable.Configuration(
        localID: "a", backOff: BackOff(first: .milliseconds(50), longest: .seconds(1)), maximumConnections: 2,
        maximumWaitingCalls: 10),
      seed: 1)
    for (index, id) in ["b", "c", "d"].enumerated() {
      let link = table.accepted()
      let actions = table.authenticated(
        link, claim(ServerID(id), at: ServerAddress("10.0.0.\(index):1")), now: now)
      switch actions.first {
      case .accept: #expect(index < 2)
      case .refuse(_, .busy, _, _): #expect(index == 2)
      default: Issue.record("\(id): \(actions)")
      }
    }
  }
}
