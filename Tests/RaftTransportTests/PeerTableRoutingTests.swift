import NIOCore
import StreamMux
import Testing

@testable import RaftTransport

@Suite("The peer table routes calls")
struct PeerTableRoutingTests {
  typealias Harness = PeerTableHarness

  @Test("the first call dials, later ones wait for it, and all go on together in order")
  func waitingCalls() {
    var harness = Harness()
    #expect(harness.call(1, "z", "z:1") == [.dial("z:1", target: "z", 1)])
    #expect(harness.call(2, "z", "z:1") == [])
    #expect(harness.call(3, "z", "z:1") == [])
    harness.withdraw(2, "z", "z:1")
    #expect(harness.authenticated(1, Harness.peer("z")) == [.accept(1, route: true)])
    #expect(harness.established(1) == [.resume(1, on: 1), .resume(3, on: 1)])
    #expect(harness.call(4, "z", "z:1") == [.resume(4, on: 1)])
    #expect(harness.table.dials.isEmpty)
  }

  @Test("no more calls wait for a target than the configuration allows")
  func tooManyCalls() {
    var harness = Harness(maximumWaitingCalls: 2)
    _ = harness.call(1, "z", "z:1")
    _ = harness.call(2, "z", "z:1")
    #expect(harness.call(3, "z", "z:1") == [.fail(3, .tooManyCalls)])
    harness.withdraw(1, "z", "z:1")
    #expect(harness.call(4, "z", "z:1") == [])
  }

  @Test("an attempt goes on when nobody waits for it any more")
  func withdrawnAttempt() {
    var harness = Harness()
    _ = harness.call(1, "z", "z:1")
    harness.withdraw(1, "z", "z:1")
    _ = harness.authenticated(1, Harness.peer("z"))
    #expect(harness.established(1) == [])
    #expect(harness.call(2, "z", "z:1") == [.resume(2, on: 1)])
  }

  @Test("a call with an empty ID reaches whoever was found there")
  func emptyID() {
    var harness = Harness()
    #expect(harness.call(1, "", "host:1") == [.dial("host:1", target: "", 1)])
    _ = harness.authenticated(1, Harness.peer("z"))
    #expect(harness.established(1) == [.resume(1, on: 1)])
    #expect(harness.call(2, "", "host:1") == [.resume(2, on: 1)])
    #expect(harness.call(3, "z", "host:1") == [.resume(3, on: 1)])
  }

  @Test("a call for another server than the one found at an address looks there again")
  func movedAddress() {
    var harness = Harness()
    let old = harness.connectedTo(Harness.peer("z"), at: "host:1")
    #expect(harness.call(1, "y", "host:1") == [.dial("host:1", target: "y", 2)])
    // Calls for the server that was found before are not disturbed.
    #expect(harness.call(2, "z", "host:1") == [.resume(2, on: old)])
    _ = harness.authenticated(2, Harness.peer("y"))
    #expect(harness.established(2) == [.resume(1, on: 2)])
    #expect(harness.call(3, "", "host:1") == [.resume(3, on: 2)])
  }

  @Test("a wrong server fails only the calls that want the other one, and is left alone for a while")
  func wrongServer() {
    var harness = Harness()
    _ = harness.call(1, "y", "host:1")
    #expect(harness.call(2, "z", "host:1") == [.dial("host:1", target: "z", 2)])
    #expect(harness.refused(1, .wrongServer) == [.fail(1, .wrongServer)])
    #expect(harness.call(3, "y", "host:1") == [.dial("host:1", target: "y", 3)])
    #expect(harness.closed(3, .wrongServer) == [.fail(3, .wrongServer)])
    #expect(harness.call(4, "y", "host:1") == [.fail(4, .wrongServer)])
    _ = harness.authenticated(2, Harness.peer("z"))
    #expect(harness.established(2) == [.resume(2, on: 2)])
  }

  @Test("IDs of different bytes are different servers, even where they look the same")
  func spellings() {
    let (composed, decomposed): (ServerID, ServerID) = ("caf\u{E9}", "cafe\u{301}")
    #expect(composed != decomposed)
    #expect(!(composed == decomposed))
    #expect(Set([composed, decomposed]).count == 2)
    #expect(Set([ServerAddress(composed.rawValue), ServerAddress(decomposed.rawValue)]).count == 2)
    #expect(ServerAddress(composed.rawValue) != ServerAddress(decomposed.rawValue))
    #expect(composed == ServerID("caf\u{E9}"))
    #expect(composed.hashValue != decomposed.hashValue)

    var harness = Harness()
    _ = harness.connectedTo(Harness.peer(composed), at: "host:1")
    #expect(harness.call(1, decomposed, "host:1") == [.dial("host:1", target: decomposed.rawValue, 2)])
  }

  @Test("the first failure is forgiven, the second one makes calls fail at once for a while")
  func backOff() {
    var harness = Harness()
    _ = harness.call(1, "z", "z:1")
    #expect(harness.closed(1) == [.fail(1, .unreachable)])
    #expect(harness.call(2, "z", "z:1") == [.dial("z:1", target: "z", 2)])
    #expect(harness.closed(2) == [.fail(2, .unreachable)])
    #expect(harness.call(3, "z", "z:1") == [.fail(3, .unreachable)])
    harness.pass(.milliseconds(101))
    #expect(harness.call(4, "z", "z:1") == [.dial("z:1", target: "z", 3)])
    _ = harness.authenticated(3, Harness.peer("z"))
    #expect(harness.established(3) == [.resume(4, on: 3)])
    // Success wipes the slate.
    #expect(harness.closed(3) == [])
    _ = harness.call(5, "z", "z:1")
    _ = harness.closed(4)
    #expect(harness.call(6, "z", "z:1") == [.dial("z:1", target: "z", 5)])
  }

  // R-HSK-37
  @Test(
    "pauses double up to the longest, less up to a quarter",
    arguments: [(1, 0), (2, 100), (3, 200), (4, 400), (5, 800), (6, 1_000), (90, 1_000)])
  func pauses(failures: Int, milliseconds: Int64) {
    let backOff = BackOff(first: .milliseconds(100), longest: .seconds(1))
    #expect(backOff.pause(afterFailures: failures, random: 0) == .milliseconds(milliseconds))
    #expect(backOff.pause(afterFailures: failures, random: 1) == .microseconds(milliseconds * 750))
  }

  @Test("a pause for one server at an address is none for another")
  func pauseOfOneTarget() {
    var harness = Harness()
    for ticket in 1...2 as ClosedRange<UInt64> {
      _ = harness.call(ticket, "y", "host:1")
      _ = harness.closed(ticket, .wrongServer)
    }
    #expect(harness.call(3, "y", "host:1") == [.fail(3, .wrongServer)])
    #expect(harness.call(4, "z", "host:1") == [.dial("host:1", target: "z", 3)])
  }

  @Test("a peer that connects from where it lives is called on its connection, and nobody dials")
  func earnedInbound() {
    var harness = Harness()
    let link = harness.connectedFrom(Harness.peer("z"))
    #expect(harness.call(1, "z", "z:1") == [.resume(1, on: link)])
    #expect(harness.call(2, "", "z:1") == [.resume(2, on: link)])
  }

  @Test("a peer that only claims its identity is served and dialled, not called on its connection")
  func unearnedInbound() {
    for local in ["a", "z"] as [ServerID] {
      var harness = Harness(local)
      let link = harness.accepted()
      #expect(
        harness.authenticated(link, Harness.peer("m", standing: .claimed)) == [.accept(link, route: false)])
      #expect(harness.established(link) == [])
      #expect(harness.call(1, "m", "m:1") == [.dial("m:1", target: "m", 2)])
      #expect(harness.authenticated(2, Harness.peer("m")) == [.accept(2, route: true)])
      #expect(harness.established(2, peerGrantsRoute: false).first == .resume(1, on: 2))
      #expect(harness.table.liveLinks.count == 2, "each side has its own connection")
    }
  }

  @Test("what a peer says of its address does not replace what we found there")
  func claimedAddress() {
    var harness = Harness()
    let link = harness.connectedTo(Harness.peer("z"), at: "host:1")
    let other = harness.connectedFrom(Harness.peer("y", address: "host:1"))
    #expect(harness.call(1, "z", "host:1") == [.resume(1, on: link)])
    #expect(harness.call(2, "", "host:1") == [.resume(2, on: link)])
    #expect(other != link)
  }

  @Test("a peer without an address is called on its connection by nobody")
  func emptyAdvertisedAddress() {
    var harness = Harness()
    _ = harness.connectedFrom(Harness.peer("z", address: ""))
    #expect(harness.call(1, "z", "") == [.dial("", target: "z", 2)])
  }

  @Test("a connection that drains gets no new calls")
  func draining() {
    var harness = Harness()
    let link = harness.connectedTo(Harness.peer("z"), at: "z:1")
    #expect(harness.draining(link) == [])
    #expect(harness.call(1, "z", "z:1") == [.dial("z:1", target: "z", 2)])
    _ = harness.authenticated(2, Harness.peer("z"))
    #expect(harness.established(2).first == .resume(1, on: 2))
    #expect(harness.closed(link) == [])
    #expect(harness.call(2, "z", "z:1") == [.resume(2, on: 2)])
  }

  @Test("the newest route is used, and the older one when that is gone")
  func newestRoute() {
    var harness = Harness()
    let first = harness.connectedTo(Harness.peer("z"), at: "z:1")
    let second = harness.connectedFrom(Harness.peer("z"))
    #expect(harness.call(1, "z", "z:1") == [.resume(1, on: second)])
    #expect(harness.closed(second) == [])
    #expect(harness.call(2, "z", "z:1") == [.resume(2, on: first)])
  }

  @Test("shutting down fails waiting calls, closes everything and refuses what comes later")
  func shutDown() {
    var harness = Harness()
    let standing = harness.connectedTo(Harness.peer("y"), at: "y:1")
    _ = harness.call(1, "z", "z:1")
    _ = harness.call(2, "a", "a:1")
    let inbound = harness.accepted()
    #expect(
      harness.shutDown() == [
        .fail(2, .shutdown), .fail(1, .shutdown), .close(standing, .shutdown), .close(2, .shutdown),
        .close(3, .shutdown), .close(inbound, .shutdown),
      ])
    #expect(harness.call(3, "y", "y:1") == [.fail(3, .shutdown)])
    #expect(harness.authenticated(inbound, Harness.peer("x")) == [.refuse(inbound, .shutdown, winner: nil)])
    #expect(harness.closed(2) == [])
    #expect(harness.closed(standing) == [])
    #expect(harness.closed(3) == [])
    #expect(harness.table.links.isEmpty)
    #expect(harness.table.dials.isEmpty)
  }

  @Test("what is told of a connection that is gone changes nothing")
  func lateNews() {
    var harness = Harness()
    let link = harness.connectedTo(Harness.peer("a"), at: "a:1")
    _ = harness.closed(link)
    #expect(harness.closed(link) == [])
    #expect(harness.established(link) == [])
    #expect(harness.authenticated(link, Harness.peer("a")) == [])
    #expect(harness.draining(link) == [])
    #expect(harness.probeEnded(link, answered: false) == [])
    #expect(harness.refused(link, .refused, isDuplicate: true) == [])
    #expect(harness.table.links.isEmpty)
  }
}
