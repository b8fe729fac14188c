import Testing

@testable import RaftTransport

@Suite("The queue between event loops and tasks")
struct AsyncQueueTests {
  @Test("Elements that are put in at one go come out in their order, behind those before them")
  func batchKeepsOrder() async {
    let queue = AsyncQueue<Int>()
    queue.push(1)
    queue.push(contentsOf: [2, 3])
    queue.push(4)
    queue.finish()
    var taken: [Int] = []
    while let element = await queue.next() { taken.append(element) }
    #expect(taken == [1, 2, 3, 4])
  }

  @Test("Urgent elements overtake a batch")
  func urgentOvertakes() async {
    let queue = AsyncQueue<Int>()
    queue.push(contentsOf: [1, 2])
    queue.push(0, urgent: true)
    #expect(await queue.next() == 0)
    #expect(await queue.next() == 1)
  }

  @Test("A batch that comes after the end is dropped")
  func batchAfterEnd() async {
    let queue = AsyncQueue<Int>()
    queue.finish()
    queue.push(contentsOf: [1, 2])
    #expect(await queue.next() == nil)
  }

  @Test("Waiting tasks and the queue share a batch without loss", arguments: [1, 2, 3, 8])
  func waitersShareBatch(waiters: Int) async {
    let queue = AsyncQueue<Int>()
    let taken = await withTaskGroup(of: [Int].self) { group in
      for _ in 0..<waiters {
        group.addTask {
          var own: [Int] = []
          while let element = await queue.next() { own.append(element) }
          return own
        }
      }
      // Whether the tasks wait already or come later is for the scheduler to choose; both must work.
      for start in stride(from: 0, to: 1_000, by: 5) {
        queue.push(contentsOf: Array(start..<start + 5))
        await Task.yield()
      }
      queue.finish()
      return await group.reduce(into: [Int]()) { $0 += $1 }
    }
    #expect(taken.sorted() == Array(0..<1_000))
  }

  @Test("A task that is cancelled while it waits gets the end, and the queue goes on")
  func cancelledWaiter() async {
    let queue = AsyncQueue<Int>()
    let waiting = Task { await queue.next() }
    waiting.cancel()
    #expect(await waiting.value == nil)
    queue.push(contentsOf: [1])
    #expect(await queue.next() == 1)
  }
}
