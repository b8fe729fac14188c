import NIOCore
import NIOEmbedded
import RaftWire
import Testing

@testable import RaftTransport

/// The small parts by themselves.
@Suite struct ClassicPartsTests {
  private final class Item {}

  // R-CLS-14
  @Test("the pool gives the newest connection first and keeps only so many")
  func pool() {
    var pool = ClassicPool<Item>(maximumIdle: 2)
    let (first, second, third) = (Item(), Item(), Item())
    let kept = [first, second, third].map { pool.keep($0, at: "a") }
    #expect(kept == [true, true, false])
    #expect(pool.count(at: "b") == 0)
    #expect(pool.take(at: "a") === second)
    #expect(pool.take(at: "a") === first)
    #expect(pool.take(at: "a") == nil)
    _ = pool.keep(first, at: "a")
    pool.remove(first, at: "a")
    #expect(pool.take(at: "a") == nil)
    var none = ClassicPool<Item>(maximumIdle: 0)
    let isKept = none.keep(first, at: "a")
    #expect(!isKept)
  }

  // R-CLS-9
  @Test("beyond the budget one connection at a time goes on, and a small one always does")
  func readBudget() {
    var budget = ClassicReadBudget<Int>(limit: 1_000, freeBytes: 100)
    _ = budget.update(1, holds: 600)
    _ = budget.update(2, holds: 500)
    let one = budget.mayRead(1)
    let two = budget.mayRead(2)
    let three = budget.mayRead(3)
    #expect(one && !two && three, "the first one that asks goes on, the one that holds nothing, too")
    // The one that goes on has come to the end of its message.
    let isNews = budget.update(1, holds: 0)
    #expect(isNews)
    let twoLater = budget.mayRead(2)
    #expect(twoLater)
    #expect(budget.total == 500)
  }

  // R-CLS-9
  @Test("who went on beyond the budget and ended before anything became its own makes room for the next one")
  func readBudgetReturned() {
    var budget = ClassicReadBudget<Int>(limit: 1_000, freeBytes: 100)
    _ = budget.update(1, holds: 1_000)
    let mayDecode = budget.mayDecode(2, of: 2_000)
    #expect(mayDecode && budget.overdrawn == 2)
    let isNews = budget.update(2, holds: 0)
    #expect(isNews && budget.overdrawn == nil)
  }

  // R-CLS-10
  @Test("time without end stays without end, whatever comes")
  func endlessPatience() {
    var oldPeers = TransportConfiguration.OldPeers.defaults
    (oldPeers.request, oldPeers.leastRate) = (.seconds(Int64.max), 1)
    var clock = ClassicPatience(oldPeers).forRequest
    clock.run(now: .uptimeNanoseconds(1))
    clock.pause(received: 1 << 20, now: .uptimeNanoseconds(2))
    clock.run(now: .uptimeNanoseconds(3))
    let deadline = clock.deadline
    #expect(deadline.map { $0 > .uptimeNanoseconds(1 << 62) } == true)
  }

  // R-CLS-9
  @Test("a snapshot that nobody reads is not read from the socket either, until its handler has answered")
  func snapshotBackPressure() throws {
    let serving = EmbeddedServing()
    let tap = ReadTap()
    let channel = try serving.connect(tap: tap)
    let size = 4 << 20
    var rest = try bytes(of: InstallSnapshotRequest(term: 7, size: Int64(size)))
    rest.writeRepeatingByte(7, count: size)
    func deliver() throws -> Int {
      var count = 0
      while tap.isWanted, let piece = rest.readSlice(length: min(64 << 10, rest.readableBytes)),
        piece.readableBytes > 0
      {
        tap.isWanted = false
        try channel.writeInbound(ByteBuffer(bytes: piece.readableBytesView))
        serving.loop.run()
        count += piece.readableBytes
      }
      return count
    }
    let first = try deliver()
    #expect(!tap.isWanted && (512 << 10...640 << 10).contains(first), "\(first) bytes")
    serving.pass(.hours(1))
    #expect(!tap.isWanted && channel.isActive, "time changes nothing: it is the reader's")
    // The rest of a snapshot that is not wanted is read and dropped (R-CLS-8).
    let isAnswered = serving.answer()
    let last = try deliver()
    #expect(isAnswered && last >= size - first && channel.isActive)
    let answer = try channel.readOutbound(as: ByteBuffer.self)
    #expect(answer == ByteBuffer(bytes: [0xA2, 0x6E, 0x6F, 0xC0]))
  }

  // R-CLS-9
  @Test("requests that grow as they are decoded count with what they become, before there are many of them")
  func decodedEntries() throws {
    let serving = EmbeddedServing { $0.oldPeers.receiveBudget = 1 << 20 }
    // An entry of nil is one byte on the wire and 120 here.
    let heavy = try bytes(
      of: AppendEntriesRequest(term: 5, previousLogIndex: 1, entries: Array(repeating: nil, count: 60_000)))
    #expect(heavy.readableBytes < 64 << 10)
    for _ in 0..<20 { try serving.connect().writeInbound(heavy) }
    let taken = (0..<20).map { _ in serving.listener.takeRequest() }.compactMap(\.self)
    #expect(taken.count == 2, "the one that reaches the budget, and one that goes beyond it")
    // What is small is not kept out.
    let voter = try serving.connect()
    try voter.writeInbound(try bytes(of: RequestVoteRequest(term: 7, lastLogIndex: 41, lastLogTerm: 6)))
    let isServed = serving.answer()
    #expect(isServed)
    for rpc in taken { rpc.fail("no") }
    serving.loop.run()
    var others = 0
    while serving.answer() { others += 1 }
    #expect(others == 18, "all have their turn")
    #expect(serving.listener.heldBytes == 0)
  }

  // R-CLS-1
  @Test("the first byte says what is spoken")
  func firstBytes() {
    for byte in UInt8.min...(.max) {
      let expected: SpokenProtocol =
        switch byte {
        case 0...4: .classic
        case 0x16: .tls
        case 0xAC: .rmux
        default: .unknown(byte)
        }
      #expect(SpokenProtocol(firstByte: byte) == expected)
    }
  }

  @Test(
    "the rules say who serves what",
    arguments: [
      (AdmissionRules(), SpokenProtocol.classic, AdmissionRules.Verdict.serveClassic),
      (AdmissionRules(), .rmux, .serveRMUX),
      // RMUX's handshake says best what these look like.
      (AdmissionRules(), .tls, .serveRMUX),
      (AdmissionRules(), .unknown(0x47), .serveRMUX),
      (AdmissionRules(servesClassic: false), .classic, .serveRMUX),
      (AdmissionRules(startsTLS: true), .tls, .startTLS),
      (AdmissionRules(servesRMUX: false), .classic, .serveClassic),
      (AdmissionRules(servesRMUX: false), .unknown(77), .refuse(reason: "unknown rpc type 77")),
    ])
  func rules(rules: AdmissionRules, spoken: SpokenProtocol, verdict: AdmissionRules.Verdict) {
    #expect(rules.verdict(on: spoken) == verdict)
  }

  @Test("the router gives on all bytes and steps aside; what follows does not pass it any more")
  func routerPassesEverything() throws {
    let channel = EmbeddedChannel()
    var routed: [SpokenProtocol?] = []
    let router = FirstByteRouter(deadline: .now() + .seconds(5)) { routed.append($0) }
    try channel.pipeline.syncOperations.addHandler(router)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try channel.writeInbound(ByteBuffer())
    #expect(routed.isEmpty, "nothing has come yet")
    try channel.writeInbound(ByteBuffer(bytes: [0xAC, 1, 2]))
    try channel.writeInbound(ByteBuffer(bytes: [0x00]))
    #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(bytes: [0xAC, 1, 2]))
    #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(bytes: [0x00]))
    #expect(routed == [.rmux])
    #expect(throws: (any Error).self) {
      try channel.pipeline.syncOperations.handler(type: FirstByteRouter.self)
    }
    _ = try? channel.finish()
  }

  @Test("a connection that says nothing is closed when its time is up, and told of once")
  func silence() throws {
    let channel = EmbeddedChannel()
    var routed: [SpokenProtocol?] = []
    let deadline = channel.embeddedEventLoop.now + .seconds(5)
    let router = FirstByteRouter(deadline: deadline) { routed.append($0) }
    try channel.pipeline.syncOperations.addHandler(router)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    channel.embeddedEventLoop.advanceTime(by: .milliseconds(4_999))
    #expect(channel.isActive && routed.isEmpty)
    channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
    #expect(!channel.isActive)
    _ = try? channel.finish()
    #expect(routed == [nil])
  }
}
