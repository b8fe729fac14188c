import NIOCore
import Testing

@testable import RaftTransport

@Suite("The answers of one stream")
struct AnswerQueueTests {
  @Test(
    "They go out in the order of the requests, whenever they are given", arguments: 0..<50 as Range<UInt64>)
  func order(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var queue = AnswerQueue()
    let count = Int.random(in: 1...40, using: &random)
    let numbers = (0..<count).map { queue.addRequest(byteCount: $0 + 1) }
    var sent: [Int] = []
    for number in numbers.shuffled(using: &random) {
      queue.fulfil(number, with: ByteBuffer(integer: number))
      while let ready = queue.popReady() {
        #expect(ready.answer.getInteger(at: 0, as: UInt64.self) == numbers[ready.requestBytes - 1])
        sent.append(ready.requestBytes)
      }
    }
    #expect(sent == Array(1...count), "seed \(seed)")
    #expect(queue.isEmpty)
  }
}
