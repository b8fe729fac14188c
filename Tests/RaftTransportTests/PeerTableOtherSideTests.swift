import NIOCore
import StreamMux
import Testing

@testable import RaftTransport

/// The server is `m`: `z` arbitrates over it.
@Suite("The peer table of a server that does not arbitrate follows the arbiter")
struct PeerTableOtherSideTests {
  typealias Harness = PeerTableHarness

  @Test("R-PAIR-1: who does not arbitrate welcomes every connection")
  func othersWelcomeAll() {
    var harness = Harness()
    _ = harness.call(1, "z", "z:1")
    for _ in 1...3 {
      let link = harness.accepted()
      #expect(harness.authenticated(link, Harness.peer("z")) == [.accept(link, route: true)])
    }
    #expect(harness.authenticated(1, Harness.peer("z")) == [.accept(1, route: true)])
  }

  @Test("R-PAIR-6: a refused attempt goes on on the winner that stands")
  func winnerStands() {
    var harness = Harness()
    _ = harness.call(1, "z", "alias:1")
    _ = harness.authenticated(1, Harness.peer("z"))
    let winner = harness.connectedFrom(Harness.peer("z"))
    #expect(harness.refused(1, .refused, isDuplicate: true) == [.resume(1, on: winner)])
    #expect(harness.closed(1) == [])
    #expect(harness.call(2, "z", "alias:1") == [.resume(2, on: winner)])
    #expect(harness.table.dials.isEmpty)
  }

  @Test("R-PAIR-6: a refused attempt waits for the winner, and dials again when that does not come")
  func winnerIsAwaited() {
    var harness = Harness()
    _ = harness.call(1, "z", "z:1")
    _ = harness.authenticated(1, Harness.peer("z"))
    #expect(harness.refused(1, .refused, isDuplicate: true) == [])
    #expect(harness.call(2, "z", "z:1") == [])
    #expect(harness.timeout() == [], "not yet")
    #expect(harness.table.nextDeadline == harness.now + .seconds(1))
    harness.pass(.seconds(1))
    #expect(harness.timeout() == [.dial("z:1", target: "z", 2)])
    #expect(harness.table.nextDeadline == nil)
    _ = harness.authenticated(2, Harness.peer("z"))
    #expect(harness.established(2) == [.resume(1, on: 2), .resume(2, on: 2)])
  }

  @Test("nobody dials again for calls that were withdrawn")
  func withdrawnWhileAwaiting() {
    var harness = Harness()
    _ = harness.call(1, "z", "z:1")
    _ = harness.authenticated(1, Harness.peer("z"))
    _ = harness.refused(1, .refused, isDuplicate: true)
    harness.withdraw(1, "z", "z:1")
    harness.pass(.seconds(1))
    #expect(harness.timeout() == [])
    #expect(harness.table.dials.isEmpty)
  }

  @Test("a winner that cannot carry our calls is no reason to wait")
  func winnerWithoutRoute() {
    var harness = Harness()
    _ = harness.call(1, "z", "z:1")
    _ = harness.authenticated(1, Harness.peer("z"))
    _ = harness.refused(1, .refused, isDuplicate: true)
    let winner = harness.accepted()
    _ = harness.authenticated(winner, Harness.peer("z", standing: .claimed))
    #expect(harness.established(winner) == [.dial("z:1", target: "z", 3)])
  }

  @Test("an attempt that lost against a connection that is no route for us is made again, once at once")
  func uselessWinner() {
    var harness = Harness()
    let winner = harness.accepted()
    _ = harness.authenticated(winner, Harness.peer("z", standing: .claimed))
    _ = harness.call(1, "z", "z:1")
    _ = harness.authenticated(2, Harness.peer("z"))
    _ = harness.established(winner)
    #expect(harness.refused(2, .refused, isDuplicate: true) == [.dial("z:1", target: "z", 3)])
    _ = harness.authenticated(3, Harness.peer("z"))
    #expect(harness.refused(3, .refused, isDuplicate: true) == [], "now it waits")
    harness.pass(.seconds(1))
    #expect(harness.timeout() == [.dial("z:1", target: "z", 4)])
  }

  @Test("a refusal for another reason than a duplicate fails the calls")
  func otherRefusal() {
    var harness = Harness()
    _ = harness.call(1, "z", "z:1")
    #expect(harness.refused(1, .refused) == [.fail(1, .refused)])
    #expect(harness.closed(1) == [], "the end of the connection is no second failure")
    #expect(harness.call(2, "z", "z:1") == [.dial("z:1", target: "z", 2)])
  }

  @Test("R-PAIR-17: a new connection makes the older ones show that they live", arguments: [true, false])
  func elders(answers: Bool) {
    var harness = Harness()
    let elder = harness.connectedTo(Harness.peer("z"), at: "z:1")
    let newcomer = harness.accepted()
    _ = harness.authenticated(newcomer, Harness.peer("z"))
    #expect(harness.established(newcomer) == [.probe(elder)])
    #expect(harness.probeEnded(elder, answered: answers) == (answers ? [] : [.close(elder, .displaced)]))
    #expect(harness.table.links.count == (answers ? 2 : 1))
  }

  @Test("R-PAIR-10: a weaker connection does not question a stronger one")
  func strongElders() {
    var harness = Harness()
    _ = harness.connectedTo(Harness.peer("z"), at: "z:1")
    let newcomer = harness.accepted()
    _ = harness.authenticated(newcomer, Harness.peer("z", standing: .claimed, incarnation: 11))
    #expect(harness.established(newcomer) == [])
  }

  @Test("an attempt under way when the peer's connection is established loses its calls and then itself")
  func attemptOvertaken() {
    var harness = Harness()
    _ = harness.call(1, "z", "z:1")
    let inbound = harness.accepted()
    _ = harness.authenticated(inbound, Harness.peer("z"))
    #expect(harness.established(inbound) == [.resume(1, on: inbound)])
    #expect(harness.call(2, "z", "z:1") == [.resume(2, on: inbound)])
    // Whatever becomes of the attempt is of no interest any more.
    #expect(harness.closed(1) == [])
    #expect(harness.table.dials.isEmpty)
  }
}
