import NIOCore
import Testing

@testable import StreamMux

@Suite("Windows")
struct WindowTests {
  // R-FLW-1, R-FLW-4
  @Test("a sender may send up to its limit, and stale credit changes nothing")
  func sending() {
    var window = SendWindow(initial: 100)
    window.send(60)
    #expect(window.available == 40)
    let isStale = !window.raise(to: 100)
    #expect(isStale)
    let isOlder = !window.raise(to: 10)
    #expect(isOlder)
    let hasGrown = window.raise(to: .max)
    #expect(hasGrown)
    #expect(window.available == Int.max)
  }

  // R-FLW-2
  @Test("the last byte of the window is taken, the next is not")
  func edge() {
    var window = ReceiveWindow(initial: 16_384)
    let fits = window.receive(16_384)
    #expect(fits)
    let next = window.receive(1)
    #expect(!next)
    #expect(window.received == 16_384)
  }

  // R-FLW-6
  @Test(
    "credit is due from a quarter of the window on",
    arguments: [(4_095, false), (4_096, true), (16_384, true)])
  func quarter(consumed: Int, isDue: Bool) {
    var window = ReceiveWindow(initial: 16_384)
    _ = window.receive(16_384)
    _ = window.consume(consumed)
    #expect(window.isCreditDue == isDue)
    if isDue {
      #expect(window.takeCredit() == 16_384 + UInt64(consumed))
      #expect(!window.isCreditDue)
    }
  }

  // R-FLW-15
  @Test("absorbed bytes count as consumed, and are given back when they are")
  func absorption() {
    var window = ReceiveWindow(initial: 16_384)
    _ = window.receive(16_384)
    window.absorb(16_384)
    #expect(window.needsAssemblyTurn)
    #expect(!window.isCreditDue)
    #expect(window.creditAbsorbed(16_384) == 16_384)
    #expect(window.absorbed == 16_384 && window.pendingAbsorption == 0)
    #expect(window.takeCredit() == 32_768)
    // The second half of the message arrives and completes it.
    _ = window.receive(10_000)
    window.endAssembly()
    #expect(window.consume(26_384) == 16_384)
    #expect(window.absorbed == 0)
    #expect(window.takeCredit() == 26_384 + 16_384)
  }

  @Test("bytes of an earlier message that are consumed leave the absorbed ones of the next alone")
  func earlierMessage() {
    var window = ReceiveWindow(initial: 16_384)
    _ = window.receive(6_000)  // A complete message, with its handler.
    _ = window.receive(10_000)  // The start of the next.
    window.absorb(10_000)
    #expect(window.creditAbsorbed(10_000) == 10_000)
    let limit = window.takeCredit()
    #expect(limit == 26_384)
    #expect(window.consume(6_000) == 0)
    #expect(window.absorbed == 10_000)
    #expect(window.takeCredit() == limit + 6_000)
  }

  // R-FLW-3
  @Test(
    "whatever is absorbed, credited and consumed, the limit never shrinks and nothing is credited twice",
    arguments: 1...50 as ClosedRange<UInt64>)
  func random(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    var window = ReceiveWindow(initial: 20_000)
    var credited = 0
    var limit = window.advertised
    for _ in 0..<500 {
      switch Int.random(in: 0..<5, using: &generator) {
      case 0:
        if window.room > 0 { _ = window.receive(.random(in: 1...window.room, using: &generator)) }
      case 1:
        if window.held > 0 { credited -= window.consume(.random(in: 1...window.held, using: &generator)) }
      case 2:
        if window.held > 0 { window.absorb(.random(in: 1...window.held, using: &generator)) }
      case 3:
        let granted = window.creditAbsorbed(.random(in: 0...window.pendingAbsorption, using: &generator))
        credited += granted
      default:
        window.endAssembly()
      }
      window.assertInvariants()
      #expect(window.absorbed == credited, "seed \(seed)")
      #expect(window.absorbed <= window.held, "seed \(seed)")
      if window.isCreditDue {
        let next = window.takeCredit()
        #expect(next > limit && next <= window.received + 20_000, "seed \(seed)")
        limit = next
      }
    }
    _ = window.dropHeld()
    #expect(window.absorbed == 0 && window.held == 0)
  }

  // R-FLW-25, R-FLW-27
  @Test("the budget holds exactly what was reserved, and elections never ask it")
  func budget() {
    var budget = ReceiveBudget(limit: 100)
    for trafficClass in [TrafficClass.append, .snapshot] {
      let isReserved = budget.reserve(50, for: trafficClass)
      #expect(isReserved)
    }
    let third = budget.reserve(1, for: .append)
    #expect(!third)
    let election = budget.reserve(.max, for: .election)
    #expect(election)
    budget.release(.max, for: .election)
    budget.release(50, for: .append)
    #expect(budget.reserved == 50)
    #expect(budget.hasRoom(for: 50, .snapshot) && !budget.hasRoom(for: 51, .snapshot))
  }
}

@Suite("The assembly turn")
struct AssemblyTurnTests {
  private func key(_ slot: UInt32) -> StreamKey { StreamKey(slot: slot, generation: 0) }

  // R-FLW-12, R-FLW-13
  @Test("goes to the first, then to those who wait in their order")
  func order() {
    var turn = AssemblyTurn(budget: 10)
    let requests = [1, 2, 3, 2, 1].map { turn.request(key($0)) }
    #expect(requests == [true, false, false, false, true])
    #expect(turn.giveUp(key(3)) == nil)
    #expect(turn.giveUp(key(1)) == key(2))
    #expect(turn.giveUp(key(2)) == nil)
    #expect(turn.holder == nil)
  }

  // R-FLW-15
  @Test("credits no more than its budget")
  func budget() {
    var turn = AssemblyTurn(budget: 10)
    let credits = [turn.credit(upTo: 7), turn.credit(upTo: 7), turn.credit(upTo: 7)]
    #expect(credits == [7, 3, 0])
    turn.uncredit(4)
    let again = turn.credit(upTo: 7)
    #expect(again == 4)
  }

  @Test("waiting and giving up for ever costs no memory")
  func churn() {
    var turn = AssemblyTurn(budget: 10)
    _ = turn.request(key(0))
    for round in 0..<10_000 as Range<UInt32> {
      _ = turn.request(key(1 + round % 7))
      _ = turn.giveUp(key(1 + round % 7))
    }
    #expect(turn.waitingEntries <= 64)
    _ = turn.request(key(5))
    #expect(turn.giveUp(key(0)) == key(5))
  }
}
