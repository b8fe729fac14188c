import NIOCore
import StreamMux
import Testing

@testable import RaftTransport

/// The server is `m`: it arbitrates over `a`.
@Suite("The peer table of an arbiter keeps one connection per pair")
struct PeerTableArbitrationTests {
  typealias Harness = PeerTableHarness

  @Test("R-PAIR-5: the arbiter welcomes the first connection and refuses the second while that is incomplete")
  func firstWins() {
    var harness = Harness()
    let first = harness.accepted()
    let second = harness.accepted()
    #expect(harness.authenticated(second, Harness.peer("a")) == [.accept(second, route: true)])
    #expect(harness.authenticated(first, Harness.peer("a")) == [.refuse(first, .duplicate, winner: second)])
  }

  @Test("the arbiter's own attempt loses against the peer's, and its calls wait for that one")
  func ownAttemptLoses() {
    var harness = Harness()
    _ = harness.call(1, "a", "a:1")
    let inbound = harness.accepted()
    #expect(harness.authenticated(inbound, Harness.peer("a")) == [.accept(inbound, route: true)])
    #expect(harness.authenticated(1, Harness.peer("a")) == [.refuse(1, .duplicate, winner: inbound)])
    #expect(harness.closed(1, .refused) == [])
    #expect(harness.established(inbound) == [.resume(1, on: inbound)])
    #expect(harness.table.dials.isEmpty)
  }

  @Test("the arbiter's attempt is made again when the peer's connection dies before it is complete")
  func winnerDies() {
    var harness = Harness()
    _ = harness.call(1, "a", "a:1")
    let inbound = harness.accepted()
    _ = harness.authenticated(inbound, Harness.peer("a"))
    _ = harness.authenticated(1, Harness.peer("a"))
    #expect(harness.closed(inbound) == [.dial("a:1", target: "a", 3)])
  }

  @Test("R-PAIR-7: an incumbent that answers stays")
  func incumbentAnswers() {
    var harness = Harness()
    let incumbent = harness.connectedFrom(Harness.peer("a"))
    let newcomer = harness.accepted()
    #expect(harness.authenticated(newcomer, Harness.peer("a", incarnation: 11)) == [.probe(incumbent)])
    #expect(
      harness.probeEnded(incumbent, answered: true) == [.refuse(newcomer, .duplicate, winner: incumbent)])
    #expect(harness.table.liveLinks.map(\.rawValue) == [incumbent])
    #expect(harness.call(1, "a", "a:1") == [.resume(1, on: incumbent)])
  }

  @Test("R-PAIR-8: an incumbent that does not answer makes way")
  func incumbentIsSilent() {
    var harness = Harness()
    let incumbent = harness.connectedFrom(Harness.peer("a"))
    let newcomer = harness.accepted()
    _ = harness.authenticated(newcomer, Harness.peer("a"))
    #expect(
      harness.probeEnded(incumbent, answered: false) == [
        .close(incumbent, .displaced), .accept(newcomer, route: true),
      ])
    #expect(harness.established(newcomer) == [])
    #expect(harness.call(1, "a", "a:1") == [.resume(1, on: newcomer)])
  }

  @Test("an incumbent that closes or drains while it is probed makes way", arguments: [true, false])
  func incumbentLeaves(drains: Bool) {
    var harness = Harness()
    let incumbent = harness.connectedFrom(Harness.peer("a"))
    let newcomer = harness.accepted()
    _ = harness.authenticated(newcomer, Harness.peer("a"))
    let actions = drains ? harness.draining(incumbent) : harness.closed(incumbent)
    #expect(actions == [.accept(newcomer, route: true)])
  }

  @Test("of several challengers the latest start wins, and of one start the newest connection")
  func severalChallengers() {
    var harness = Harness()
    let incumbent = harness.connectedFrom(Harness.peer("a"))
    let older = harness.accepted()
    #expect(harness.authenticated(older, Harness.peer("a", incarnation: 11)) == [.probe(incumbent)])
    let first = harness.accepted()
    #expect(harness.authenticated(first, Harness.peer("a", incarnation: 12)) == [], "it is asked already")
    let second = harness.accepted()
    _ = harness.authenticated(second, Harness.peer("a", incarnation: 12))
    let oldest = harness.accepted()
    _ = harness.authenticated(oldest, Harness.peer("a"))
    #expect(
      harness.closed(incumbent) == [
        .accept(second, route: true), .refuse(first, .duplicate, winner: second),
        .refuse(older, .staleIncarnation, winner: nil), .refuse(oldest, .staleIncarnation, winner: nil),
      ])
  }

  @Test("a challenger that leaves is forgotten")
  func challengerLeaves() {
    var harness = Harness()
    let incumbent = harness.connectedFrom(Harness.peer("a"))
    let newcomer = harness.accepted()
    _ = harness.authenticated(newcomer, Harness.peer("a"))
    #expect(harness.closed(newcomer) == [])
    #expect(harness.probeEnded(incumbent, answered: true) == [])
    #expect(harness.table.liveLinks.map(\.rawValue) == [incumbent])
  }

  @Test("the arbiter's own attempt challenges too, and goes on on the incumbent that answers")
  func ownAttemptChallenges() {
    var harness = Harness()
    let incumbent = harness.connectedFrom(Harness.peer("a"))
    #expect(harness.call(1, "a", "alias:1") == [.dial("alias:1", target: "a", 2)])
    #expect(harness.authenticated(2, Harness.peer("a")) == [.probe(incumbent)])
    #expect(
      harness.probeEnded(incumbent, answered: true) == [
        .refuse(2, .duplicate, winner: incumbent), .resume(1, on: incumbent),
      ])
    // The second name is known from now on.
    #expect(harness.call(2, "a", "alias:1") == [.resume(2, on: incumbent)])
  }

  @Test("R-PAIR-3: a stronger newcomer wins even if the incumbent is alive")
  func strongerNewcomer() {
    var harness = Harness()
    let impostor = harness.connectedFrom(Harness.peer("a", standing: .claimed, incarnation: 9))
    let newcomer = harness.accepted()
    #expect(
      harness.authenticated(newcomer, Harness.peer("a")) == [
        .accept(newcomer, route: true), .close(impostor, .displaced),
      ])
    #expect(harness.table.liveLinks.map(\.rawValue) == [newcomer])
  }

  @Test("R-PAIR-3: an impostor's later incarnation does not lock a stronger server out")
  func impostorFromTheFuture() {
    var harness = Harness()
    let impostor = harness.connectedFrom(Harness.peer("a", standing: .claimed, incarnation: .max))
    let newcomer = harness.accepted()
    #expect(
      harness.authenticated(newcomer, Harness.peer("a")) == [
        .accept(newcomer, route: true), .close(impostor, .displaced),
      ])
  }

  @Test("a stronger newcomer takes the arbiter's own unfinished attempt's place, and its calls follow")
  func strongerThanOurAttempt() {
    var harness = Harness()
    _ = harness.call(1, "a", "a:1")
    _ = harness.authenticated(1, Harness.peer("a"))
    let newcomer = harness.accepted()
    #expect(
      harness.authenticated(newcomer, Harness.peer("a", standing: .proven)) == [
        .accept(newcomer, route: true), .close(1, .displaced),
      ])
    #expect(harness.established(newcomer) == [.resume(1, on: newcomer)])
  }

  @Test("R-PAIR-10: a weaker newcomer is refused without a question")
  func weakerNewcomer() {
    var harness = Harness()
    let incumbent = harness.connectedFrom(Harness.peer("a"))
    let newcomer = harness.accepted()
    #expect(
      harness.authenticated(newcomer, Harness.peer("a", standing: .claimed, incarnation: 11)) == [
        .refuse(newcomer, .duplicate, winner: incumbent)
      ])
  }

  @Test("R-PAIR-11: an earlier start than that of a live connection is refused, whoever arbitrates")
  func staleIncarnation() {
    for peer in ["a", "z"] as [ServerID] {
      var harness = Harness()
      let incumbent = harness.connectedFrom(Harness.peer(peer))
      let newcomer = harness.accepted()
      #expect(harness.authenticated(newcomer, Harness.peer(peer, incarnation: 9)) == [.probe(incumbent)])
      #expect(
        harness.probeEnded(incumbent, answered: true) == [.refuse(newcomer, .staleIncarnation, winner: nil)])
      #expect(harness.table.links.count == 1)
    }
  }

  @Test("a server whose clock was set back takes the place of its dead connection, whoever arbitrates")
  func clockSetBack() {
    for peer in ["a", "z"] as [ServerID] {
      var harness = Harness()
      let incumbent = harness.connectedFrom(Harness.peer(peer))
      let newcomer = harness.accepted()
      _ = harness.authenticated(newcomer, Harness.peer(peer, incarnation: 9))
      #expect(
        harness.probeEnded(incumbent, answered: false) == [
          .close(incumbent, .displaced), .accept(newcomer, route: true),
        ])
    }
  }

  @Test("R-PAIR-11: an earlier start is refused at once for an unfinished connection or a stronger one")
  func staleIncarnationAtOnce() {
    for peer in ["a", "z"] as [ServerID] {
      var harness = Harness()
      let incumbent = harness.accepted()
      _ = harness.authenticated(incumbent, Harness.peer(peer))
      let unfinished = harness.accepted()
      #expect(
        harness.authenticated(unfinished, Harness.peer(peer, incarnation: 9)) == [
          .refuse(unfinished, .staleIncarnation, winner: nil)
        ])
      _ = harness.established(incumbent)
      let weaker = harness.accepted()
      #expect(
        harness.authenticated(weaker, Harness.peer(peer, standing: .claimed, incarnation: 9)) == [
          .refuse(weaker, .staleIncarnation, winner: nil)
        ])
    }
  }

  @Test("R-PAIR-11: our own attempt that finds an earlier start fails")
  func staleIncarnationDialled() {
    var harness = Harness()
    let incumbent = harness.connectedFrom(Harness.peer("z"))
    _ = harness.call(1, "z", "elsewhere:1")
    #expect(harness.authenticated(2, Harness.peer("z", incarnation: 9)) == [.probe(incumbent)])
    #expect(
      harness.probeEnded(incumbent, answered: true) == [
        .refuse(2, .staleIncarnation, winner: nil), .fail(1, .refused),
      ])
  }

  @Test("R-PAIR-18: an unfinished connection of an earlier start makes way at once")
  func unfinishedEarlierStart() {
    var harness = Harness()
    let old = harness.accepted()
    _ = harness.authenticated(old, Harness.peer("a"))
    let new = harness.accepted()
    #expect(
      harness.authenticated(new, Harness.peer("a", incarnation: 11)) == [
        .accept(new, route: true), .close(old, .displaced),
      ])
  }

  @Test("R-PAIR-16: where the peer has no route, its own connection is welcome beside ours")
  func otherSideWithoutRoute() {
    var harness = Harness()
    let ours = harness.connectedTo(Harness.peer("a"), at: "a:1", peerGrantsRoute: false)
    let theirs = harness.accepted()
    #expect(
      harness.authenticated(theirs, Harness.peer("a", standing: .claimed)) == [.accept(theirs, route: false)])
    #expect(harness.established(theirs) == [])
    let third = harness.accepted()
    #expect(harness.authenticated(third, Harness.peer("a", standing: .claimed)) == [.probe(theirs)])
    #expect(harness.call(1, "a", "a:1") == [.resume(1, on: ours)])
  }

  @Test("R-PAIR-12: many displacements within a minute raise an alarm")
  func alarm() {
    var harness = Harness()
    var incumbent = harness.connectedFrom(Harness.peer("a"))
    func displace() -> [Harness.Outcome] {
      let newcomer = harness.accepted()
      _ = harness.authenticated(newcomer, Harness.peer("a"))
      let actions = harness.probeEnded(incumbent, answered: false)
      _ = harness.established(newcomer)
      incumbent = newcomer
      return actions
    }
    for _ in 1...3 { #expect(!displace().contains(.alarm("a"))) }
    #expect(displace().contains(.alarm("a")))
    harness.pass(.seconds(61))
    #expect(!displace().contains(.alarm("a")))
    #expect(harness.table.displacements["a"]?.count == 1)
  }

  // MARK: Bounds

  @Test("connections in the handshake are counted until both sides welcomed them")
  func handshakeCount() {
    var harness = Harness()
    let link = harness.accepted()
    _ = harness.call(1, "y", "y:1")
    #expect(harness.table.handshakeCount == 1, "our own attempts are not counted")
    _ = harness.authenticated(link, Harness.peer("z"))
    #expect(harness.table.handshakeCount == 1)
    _ = harness.established(link)
    #expect(harness.table.handshakeCount == 0)
  }

  @Test("nothing grows with the servers and addresses of the past")
  func growth() {
    var harness = Harness()
    for number in 0..<500 as Range<UInt64> {
      // A target that fails, a peer that is displaced, and its successor that leaves.
      guard case .dial(_, _, let attempt)? = harness.call(number, "", ServerAddress("gone-\(number):1")).first
      else { continue }
      _ = harness.closed(attempt)
      let peer = Harness.peer(ServerID("a\(number)"))
      let visitor = harness.connectedFrom(peer)
      let newcomer = harness.accepted()
      _ = harness.authenticated(newcomer, peer)
      _ = harness.probeEnded(visitor, answered: false)
      _ = harness.closed(newcomer)
      harness.pass(.seconds(2))
    }
    let table = harness.table
    #expect(table.dials.count <= 31, "failures of the last minute")
    #expect(table.displacements.count <= 31, "displacements of the last minute")
    #expect(table.links.isEmpty && table.routes.isEmpty && table.addresses.isEmpty)
  }
}
