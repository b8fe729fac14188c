import NIOCore
import Testing

@testable import StreamMux

@Suite("Which PING a PONG answers")
struct PingLedgerTests {
  private let start = NIODeadline.uptimeNanoseconds(0)

  @Test("an answer has its number, purpose and round trip")
  func answer() {
    var ledger = PingLedger(firstNumber: .max)
    let first = ledger.send(.keepAlive, now: start)
    let second = ledger.send(.probe, now: start + .milliseconds(5))
    #expect(first == .max && second == 0)
    #expect(
      ledger.receivePong(first, now: start + .milliseconds(20))
        == .init(number: first, purpose: .keepAlive, roundTrip: .milliseconds(20)))
    #expect(
      ledger.receivePong(second, now: start + .milliseconds(25))
        == .init(number: second, purpose: .probe, roundTrip: .milliseconds(20)))
    #expect(ledger.openCount == 0)
  }

  // R-LIV-3
  @Test("an answer settles all earlier ones, and none is taken twice")
  func settles() {
    var ledger = PingLedger(firstNumber: 10)
    let numbers = (0..<3).map { _ in ledger.send(.keepAlive, now: start) }
    let answer = ledger.receivePong(numbers[1], now: start)
    #expect(answer?.number == numbers[1])
    #expect(ledger.receivePong(numbers[1], now: start) == nil)
    #expect(ledger.receivePong(numbers[0], now: start) == nil)
    #expect(ledger.receivePong(99, now: start) == nil)
    #expect(ledger.openCount == 1)
  }

  @Test("a peer that never answers costs a bounded number of notes")
  func bounded() {
    var ledger = PingLedger(firstNumber: 0)
    for _ in 0..<1_000 { _ = ledger.send(.probe, now: start) }
    #expect(ledger.openCount == PingLedger.capacity)
    #expect(ledger.receivePong(0, now: start) == nil)
    let answer = ledger.receivePong(999, now: start)
    #expect(answer?.number == 999)
  }
}
