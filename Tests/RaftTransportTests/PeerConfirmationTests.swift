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

  @Test(
    "R-PAIR-15: a call that comes while the peer's own connection is in its handshake waits for it",
    arguments: ["z", ""])
  func waitsForHandshake(wanted: ServerID) {
    var harness = PeerTableHarness()
    let peer = PeerTableHarness.peer("z", standing: .claimed)
    let link = harness.accepted()
    #expect(harness.authenticated(link, peer) == [.accept(link, route: false)])
    #expect(harness.table.unconfirmed(wanted, at: "z:1") == LinkID(rawValue: link))
    #expect(harness.table.confirmed(LinkID(rawValue: link)).isEmpty)
    #expect(harness.call(1, wanted, "z:1") == [])
    #expect(harness.call(2, wanted, "z:1") == [])
    #expect(harness.established(link) == [.resume(1, on: link), .resume(2, on: link)])
    #expect(harness.table.dials.isEmpty)
  }

  @Test("A call that waits for the peer's connection dials when that ends", arguments: [false, true])
  func handshakeFails(isRefused: Bool) {
    var harness = PeerTableHarness()
    let link = harness.accepted()
    _ = harness.authenticated(link, PeerTableHarness.peer("z"))
    #expect(harness.call(1, "z", "z:1") == [])
    let outcomes =
      isRefused ? harness.refused(link, .refused, isDuplicate: true) : harness.closed(link)
    #expect(outcomes == [.dial("z:1", target: "z", 2)])
  }

  @Test("A call that waits for the peer's connection dials when that takes too long, and does not wait again")
  func handshakeTakesLong() {
    var harness = PeerTableHarness()
    let link = harness.accepted()
    _ = harness.authenticated(link, PeerTableHarness.peer("z"))
    #expect(harness.call(1, "z", "z:1") == [])
    #expect(harness.table.nextDeadline == harness.now + .seconds(1))
    harness.pass(.seconds(1))
    #expect(harness.timeout() == [.dial("z:1", target: "z", 2)])
    #expect(harness.call(2, "z", "z:1") == [])
    #expect(harness.table.nextDeadline == nil)
  }

  @Test("Nobody waits for a connection that may not carry the call")
  func handshakeOfOthers() {
    var harness = PeerTableHarness()
    for peer in [
      PeerTableHarness.peer("z", standing: .claimed),
      PeerTableHarness.peer("y", address: "z:1"),
      PeerTableHarness.peer("z", address: "elsewhere:1"),
    ] { _ = harness.authenticated(harness.accepted(), peer) }
    #expect(harness.call(1, "z", "z:1") == [.dial("z:1", target: "z", 4)])

    // A certificate proves a name and not an address (R-PAIR-19).
    _ = harness.authenticated(harness.accepted(), PeerTableHarness.peer("x", standing: .proven))
    #expect(harness.call(2, "", "x:1") == [.dial("x:1", target: "", 6)])
    #expect(harness.call(3, "x", "x:1") == [])
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
