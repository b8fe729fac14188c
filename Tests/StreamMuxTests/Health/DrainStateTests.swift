import NIOCore
import StreamMux
import Testing

@Suite("Draining a connection")
struct DrainStateTests {
  private let start = NIODeadline.uptimeNanoseconds(0)

  private func announced() -> DrainState {
    var state = DrainState()
    _ = state.drain(code: .shutdown, text: "bye", pause: .milliseconds(50), now: start)
    return state
  }

  private func goAway(_ last: UInt64) -> GoAway { GoAway(lastStream: last, code: .shutdown, text: "bye") }

  // R-DRN-1, R-DRN-2, R-DRN-3
  @Test("announces first, and names the last stream after the pause")
  func twoSteps() {
    var state = DrainState()
    #expect(state.mayOpen && !state.isDraining && !state.isConcluded && state.deadline == nil)
    #expect(
      state.drain(code: .shutdown, text: "bye", pause: .milliseconds(50), now: start)
        == .announce(goAway(ProtocolConstants.soon)))
    #expect(!state.mayOpen && state.isDraining && !state.isConcluded)
    // What was on its way is still served.
    #expect(!state.refuses(101))
    #expect(state.deadline == start + .milliseconds(50))
    #expect(state.handleTimeout(highestPeerStream: 7, now: start + .milliseconds(49)) == .none)
    #expect(state.handleTimeout(highestPeerStream: 9, now: start + .milliseconds(50)) == .conclude(goAway(9)))
    #expect(state.isConcluded && state.deadline == nil)
    #expect(!state.refuses(9) && state.refuses(11))
    #expect(state.handleTimeout(highestPeerStream: 11, now: start + .seconds(9)) == .none)
  }

  // R-DRN-3
  @Test("a PONG behind the announcement ends the pause")
  func pong() {
    var state = announced()
    #expect(state.receivedPong(highestPeerStream: 4) == .conclude(goAway(4)))
    #expect(state.receivedPong(highestPeerStream: 6) == .none)
    #expect(state.refuses(6))
  }

  @Test("beginning again changes nothing")
  func again() {
    var state = announced()
    #expect(state.drain(code: .displaced, text: "", pause: .zero, now: start) == .none)
    #expect(state.deadline == start + .milliseconds(50))
    _ = state.receivedPong(highestPeerStream: 2)
    #expect(state.drain(code: .displaced, text: "", pause: .zero, now: start) == .none)
  }

  @Test("an answer without an announcement ends nothing")
  func strayPong() {
    var state = DrainState()
    #expect(state.receivedPong(highestPeerStream: 2) == .none)
    #expect(state.handleTimeout(highestPeerStream: 2, now: .distantFuture) == .none)
    #expect(state.mayOpen)
  }

  // R-DRN-8
  @Test("an error ends at once, and never names a later stream than before")
  func failure() {
    var fresh = DrainState()
    #expect(
      fresh.fail(code: .flowControl, text: "x", highestPeerStream: 5)
        == GoAway(lastStream: 5, code: .flowControl, text: "x"))
    #expect(fresh.isConcluded && fresh.refuses(7) && !fresh.mayOpen)

    var draining = announced()
    #expect(draining.fail(code: .flowControl, text: "x", highestPeerStream: 5).lastStream == 5)

    var concluded = announced()
    _ = concluded.receivedPong(highestPeerStream: 4)
    #expect(concluded.fail(code: .flowControl, text: "x", highestPeerStream: 8).lastStream == 4)
    #expect(concluded.refuses(6))
  }

  // R-DRN-5, R-DRN-9
  @Test("the peer's GOAWAY ends opening, and its last one rejects what lies above")
  func receiving() throws {
    var state = DrainState()
    #expect(try state.receive(goAway(ProtocolConstants.soon)) == .stopOpening)
    #expect(!state.mayOpen && state.isPeerDraining && !state.isDraining)
    #expect(try state.receive(goAway(ProtocolConstants.soon)) == .stopOpening)
    #expect(try state.receive(goAway(8)) == .rejectStreams(above: 8))
    // It may fall and stay, never grow.
    #expect(try state.receive(goAway(8)) == .rejectStreams(above: 8))
    #expect(try state.receive(goAway(2)) == .rejectStreams(above: 2))
    #expect(throws: Violation(.lastStreamGrew(from: 2, to: 4))) { _ = try state.receive(goAway(4)) }
    #expect(throws: Violation(.lastStreamGrew(from: 2, to: .max))) {
      _ = try state.receive(goAway(ProtocolConstants.soon))
    }
    // Ours is another matter: the peer may still open until we drain.
    #expect(!state.refuses(1_000))
  }

  @Test("both may drain at once")
  func both() throws {
    var state = announced()
    #expect(try state.receive(goAway(ProtocolConstants.soon)) == .stopOpening)
    #expect(state.receivedPong(highestPeerStream: 2) == .conclude(goAway(2)))
    #expect(try state.receive(goAway(3)) == .rejectStreams(above: 3))
  }
}
