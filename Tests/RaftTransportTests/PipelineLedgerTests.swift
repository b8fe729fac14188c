import Testing

@testable import RaftTransport

@Suite("The books of a pipeline")
struct PipelineLedgerTests {
  @Test("Without an answer, depth minus one sends return at once", arguments: [2, 3, 16, 130])
  func sendsWithoutAnswers(depth: Int) {
    var ledger = PipelineLedger(depth: depth)
    for _ in 1..<depth { #expect(!ledger.mustWait(ledger.send(AppendFuture(request: .init())))) }
    #expect(ledger.mustWait(ledger.send(AppendFuture(request: .init()))))
  }

  @Test("An undrained consumer holds back as upstream's two channels do", arguments: [2, 3, 16, 130])
  func undrainedConsumer(depth: Int) {
    var ledger = PipelineLedger(depth: depth)
    var written = 0
    var isHeld = false
    // The peer answers everything as far as answers are read at all; nobody takes a future.
    while !isHeld {
      let number = ledger.send(AppendFuture(request: .init()))
      written += 1
      while ledger.readAllowance > 0, ledger.answer() != nil {}
      isHeld = ledger.mustWait(number)
    }
    #expect(written == 2 * (depth - 2) + 2)
  }

  @Test("A sender waits until an answer was given and taken, at the least depth")
  func leastDepth() {
    var ledger = PipelineLedger(depth: 2)
    _ = ledger.send(AppendFuture(request: .init()))
    let second = ledger.send(AppendFuture(request: .init()))
    #expect(ledger.mustWait(second))
    #expect(ledger.answer() != nil)
    #expect(ledger.mustWait(second))
    ledger.take()
    #expect(!ledger.mustWait(second))
  }

  @Test("An answer to nothing is noticed, and a failure is told once")
  func oddities() throws {
    var ledger = PipelineLedger(depth: 4)
    #expect(ledger.answer() == nil)
    let future = AppendFuture(request: .init())
    _ = ledger.send(future)
    let failure = ledger.fail(TransportError(.timeout, "", delivery: .unknown))
    let ended = try #require(failure)
    #expect(ended.futures.map(ObjectIdentifier.init) == [ObjectIdentifier(future)])
    #expect(ledger.fail(TransportError(.cancelled, "", delivery: .unknown)) == nil)
    #expect(ledger.failure?.code == .timeout)
  }
}
