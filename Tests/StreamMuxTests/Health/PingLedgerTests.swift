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
        == .init(roundTrip: .milliseconds(20), settled: [.init(number: first, purpose: .keepAlive)]))
    #expect(
      ledger.receivePong(second, now: start + .milliseconds(25))
        == .init(roundTrip: .milliseconds(20), settled: [.init(number: second, purpose: .probe)]))
    #expect(ledger.openCount == 0)
  }

  // R-LIV-2, R-LIV-3
  @Test("an answer settles all earlier ones, whoever asked for them, and none is taken twice")
  func settles() {
    var ledger = PingLedger(firstNumber: 10)
    let numbers = [PingLedger.Purpose.probe, .keepAlive, .keepAlive].map { ledger.send($0, now: start) }
    let answer = ledger.receivePong(numbers[1], now: start)
    #expect(
      answer?.settled == [
        .init(number: numbers[0], purpose: .probe), .init(number: numbers[1], purpose: .keepAlive),
      ])
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
    #expect(answer?.settled.last?.number == 999)
  }
}
