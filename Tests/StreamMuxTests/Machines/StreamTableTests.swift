import DequeModule
import NIOCore
import Testing

@testable import StreamMux

@Suite("The stream table")
struct StreamTableTests {
  private func insert(_ table: inout StreamTable, id: UInt64 = 0) -> StreamKey {
    table.insert { key in
      Stream(
        key: key, opening: StreamOpening(trafficClass: .append), isOwn: id == 0, id: id,
        sending: id == 0 ? .unopened : .ready, sendWindow: SendWindow(initial: 0),
        receiveWindow: ReceiveWindow(initial: 16_384), isOwned: true)
    }
  }

  @Test("a slot that is used again does not answer to its old key")
  func generations() {
    var table = StreamTable()
    let first = insert(&table, id: 1)
    table.remove(first)
    let second = insert(&table, id: 3)
    #expect(first.slot == second.slot && first != second)
    #expect(!table.contains(first) && table.contains(second))
    #expect(table.key(ofID: 1) == nil && table.key(ofID: 3) == second)
    #expect(table.count == 1)
    #expect(!table.contains(StreamKey(slot: 99, generation: 0)))
  }

  @Test("an id is found from the moment when it is assigned")
  func assigning() {
    var table = StreamTable()
    let key = insert(&table)
    #expect(table.key(ofID: 7) == nil)
    table.assign(7, to: key)
    #expect(table.key(ofID: 7) == key && table[key].id == 7)
    #expect(table.keys == [key])
  }
}

@Suite("The send queue")
struct SendQueueTests {
  @Test("is cut anywhere without copying", arguments: 1...40)
  func cuts(size: Int) {
    var queue = SendQueue()
    for text in ["a", "bcdefg", "hijklmnop", "q", "rstuvwxyz"] { queue.append(ByteBuffer(string: text)) }
    queue.append(ByteBuffer())
    var whole = ""
    var pieces: Deque<ByteBuffer> = []
    while !queue.isEmpty {
      let count = min(size, queue.byteCount)
      queue.take(count, into: &pieces)
      #expect(pieces.reduce(0) { $0 + $1.readableBytes } == count)
      #expect(pieces.allSatisfy { $0.readableBytes > 0 })
      whole += pieces.map { String(buffer: $0) }.joined()
      pieces.removeAll()
    }
    #expect(whole == "abcdefghijklmnopqrstuvwxyz")
  }

  @Test(
    "a frame ends with what was written together, unless that makes it much shorter",
    arguments: [
      (limit: 1_000, length: 900), (limit: 900, length: 900), (limit: 1_200, length: 900),
      (limit: 1_201, length: 1_201),
      (limit: 299, length: 299), (limit: 400, length: 300), (limit: 401, length: 401), (limit: 0, length: 0),
      (limit: 6_199, length: 5_900), (limit: 6_200, length: 6_200), (limit: 65_536, length: 6_200),
    ])
  func frames(limit: Int, length: Int) {
    var queue = SendQueue()
    for count in [300, 300, 300, 5_000, 300] { queue.append(ByteBuffer(repeating: 0, count: count)) }
    #expect(queue.frameLength(atMost: limit) == length)
  }

  @Test("its end stands behind its last byte")
  func end() {
    var queue = SendQueue()
    queue.append(ByteBuffer(string: "x"))
    queue.finish()
    #expect(queue.endsAfterLastByte && !queue.isEmpty)
    queue.drop()
    #expect(!queue.endsAfterLastByte && queue.isEmpty)
  }
}

@Suite("Stream credit")
struct StreamCreditTests {
  // R-FLW-19, R-FLW-20, R-FLW-23
  @Test(
    "a peer may open what it was granted, and gets it back in quarters",
    arguments: [(1, 1), (3, 1), (8, 2), (256, 64)])
  func grant(initial: Int, quarter: Int) {
    var grant = StreamGrant(initial: UInt32(initial))
    for _ in 0..<initial {
      let isAllowed = grant.open()
      #expect(isAllowed)
    }
    let isBeyond = !grant.open()
    #expect(isBeyond)
    for _ in 0..<quarter {
      #expect(!grant.isGrantDue)
      grant.giveBack()
    }
    #expect(grant.isGrantDue)
    #expect(grant.takeGrant() == UInt64(initial + quarter))
    #expect(!grant.isGrantDue)
    let isAllowedAgain = grant.open()
    #expect(isAllowedAgain)
  }

  // R-FLW-18, R-FLW-21
  @Test("an opener counts what it was granted in all")
  func allowance() {
    var allowance = StreamAllowance(initial: 1)
    let results = [allowance.take(), allowance.take()]
    #expect(results == [true, false])
    allowance.putBack()
    #expect(!allowance.isExhausted)
    let isOld = !allowance.raise(to: 1)
    #expect(isOld)
    let hasGrown = allowance.raise(to: .max)
    #expect(hasGrown && !allowance.isExhausted)
  }
}

@Suite("Opens that wait")
struct PendingOpensTests {
  private func insert(_ table: inout StreamTable) -> StreamKey {
    table.insert { key in
      Stream(
        key: key, opening: StreamOpening(trafficClass: .append), isOwn: true, id: 0, sending: .unopened,
        sendWindow: SendWindow(initial: 0), receiveWindow: ReceiveWindow(initial: 16_384), isPending: true,
        isOwned: true)
    }
  }

  @Test("come in in their order within a class, without those that were cancelled")
  func order() {
    var table = StreamTable()
    var pending = PendingOpens(capacity: 10)
    let keys = (0..<4).map { _ in insert(&table) }
    for key in keys { pending.append(key, .append) }
    pending.append(insert(&table), .election)
    table.remove(keys[0])
    pending.cancel(.append, in: table)
    #expect(pending.count == 4)
    var order: [StreamKey] = []
    while let next = pending.first(.append, in: table) {
      order.append(next)
      table[next].isPending = false
      pending.removeFirst(.append)
    }
    #expect(order == Array(keys[1...]))
    #expect(pending.isEmpty(.append) && !pending.isEmpty(.election) && pending.count == 1)
  }

  @Test("cancelling for ever behind one that waits costs no memory")
  func churn() {
    var table = StreamTable()
    var pending = PendingOpens(capacity: 10)
    pending.append(insert(&table), .append)
    for _ in 1..<10_000 {
      let key = insert(&table)
      pending.append(key, .append)
      table.remove(key)
      pending.cancel(.append, in: table)
    }
    #expect(pending.count == 1)
    #expect(pending.entries(.append) <= 32)
  }
}
