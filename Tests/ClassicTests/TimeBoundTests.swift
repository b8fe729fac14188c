import NIOCore
import NIOEmbedded
import RaftWire
import Testing

@testable import RaftTransport

/// How long an old peer may keep a connection without being of any use.
@Suite struct TimeBoundTests {
  private static let vote = RequestVoteRequest(term: 7, lastLogIndex: 41, lastLogTerm: 6)

  private static func large(_ size: Int) throws -> ByteBuffer {
    try bytes(
      of: AppendEntriesRequest(
        term: 5, entries: [LogEntry(index: 1, term: 5, data: ByteBuffer(repeating: 1, count: size))]))
  }

  // R-CLS-28
  @Test(
    "a connection on which no whole request has come is closed after five seconds",
    arguments: [[0x00], [0x00, 0x87], [0x02, 0x81, 0xA4]] as [[UInt8]])
  func noRequest(input: [UInt8]) throws {
    let serving = EmbeddedServing()
    let channel = try serving.connect()
    try channel.writeInbound(ByteBuffer(bytes: input))
    serving.pass(.milliseconds(4_999))
    #expect(channel.isActive)
    serving.pass(.milliseconds(2))
    #expect(!channel.isActive)
    #expect(serving.silentEnds == 1)
    #expect(serving.listener.statistics.isEmpty, "its place is free")
  }

  // R-CLS-12, R-CLS-28
  @Test(
    "a peer that has sent a request may be silent behind the answer for as long as it likes",
    arguments: [true, false])
  func shown(isSnapshot: Bool) throws {
    let serving = EmbeddedServing()
    let channel = try serving.connect()
    if isSnapshot {
      try channel.writeInbound(try bytes(of: InstallSnapshotRequest(term: 7, size: 1_000)))
      for _ in 1...2 { try channel.writeInbound(ByteBuffer(repeating: 1, count: 500)) }
    } else {
      try channel.writeInbound(try bytes(of: Self.vote))
    }
    // A handler may take its time, too.
    serving.pass(.hours(1))
    let isAnswered = serving.answer()
    #expect(isAnswered)
    serving.pass(.hours(24 * 365))
    #expect(channel.isActive)
    try channel.writeInbound(try bytes(of: Self.vote))
    let isServed = serving.answer()
    #expect(isServed)
    _ = try channel.finish()
  }

  // R-CLS-9
  @Test("a connection that goes away keeps its place until the handler of its request has answered")
  func departed() throws {
    let serving = EmbeddedServing { $0.oldPeers.maximumConnections = 16 }
    for _ in 1...16 {
      let channel = try serving.connect()
      try channel.writeInbound(try bytes(of: InstallSnapshotRequest(term: 7, size: 1_000)))
      channel.close(promise: nil)
      serving.loop.run()
    }
    #expect(serving.listener.statistics.isEmpty)
    #expect(serving.listener.heldBytes > 0)
    #expect(throws: (any Error).self) { try serving.connect() }
    let isAnswered = serving.answer()
    #expect(isAnswered)
    _ = try serving.connect()
    for _ in 1...15 { serving.answer() }
    #expect(serving.listener.heldBytes == 0)
  }

  // R-CLS-28
  @Test("a large first request has the time that its bytes take")
  func largeFirstRequest() throws {
    let serving = EmbeddedServing()
    let channel = try serving.connect()
    var request = try Self.large(4 << 20)
    // 32 KiB each second: more than the least rate, and two minutes in all.
    while let piece = request.readSlice(length: min(32 << 10, request.readableBytes)), piece.readableBytes > 0
    {
      try channel.writeInbound(piece)
      serving.pass(.seconds(1))
    }
    #expect(channel.isActive)
    let isServed = serving.answer()
    #expect(isServed)
    _ = try channel.finish()
  }

  // R-CLS-10
  @Test("a request that comes byte by byte ends, though none of them is late", arguments: [true, false])
  func dribble(isBody: Bool) throws {
    let serving = EmbeddedServing()
    let channel = try serving.connect()
    try channel.writeInbound(try bytes(of: Self.vote))
    serving.answer()
    if isBody {
      try channel.writeInbound(try bytes(of: InstallSnapshotRequest(term: 7, size: 1 << 20)))
    } else {
      try channel.writeInbound(try Self.large(1 << 20).getSlice(at: 0, length: 100))
    }
    var bytes = 0
    while channel.isActive, bytes < 1_000 {
      serving.pass(.seconds(59))
      guard channel.isActive else { break }
      try channel.writeInbound(ByteBuffer(bytes: [1]))
      bytes += 1
    }
    #expect(!channel.isActive)
    #expect(bytes == 5, "five minutes")
    #expect(serving.silentEnds == 1)
  }

  // R-CLS-10
  @Test("what was sent fast is no licence to be slow for longer than a request has")
  func earned() throws {
    let serving = EmbeddedServing()
    let channel = try serving.connect()
    try channel.writeInbound(try bytes(of: Self.vote))
    serving.answer()
    try channel.writeInbound(try Self.large(32 << 20).getSlice(at: 0, length: 31 << 20))
    var time = TimeAmount.zero
    while channel.isActive, time < .hours(2) {
      serving.pass(.seconds(59))
      time = time + .seconds(59)
      if channel.isActive { try channel.writeInbound(ByteBuffer(bytes: [1])) }
    }
    #expect(!channel.isActive)
    #expect(time <= .seconds(360))
  }

  // R-CLS-9, R-CLS-10
  @Test("a connection that others wait for has no more than a minute without pace")
  func overdrawn() throws {
    let serving = EmbeddedServing { $0.oldPeers.receiveBudget = 1 << 20 }
    let greedy = try serving.connect()
    try greedy.writeInbound(try bytes(of: Self.vote))
    serving.answer()
    // Beyond the budget, and its message not at the end: it alone goes on.
    try greedy.writeInbound(try Self.large(4 << 20).getSlice(at: 0, length: 2 << 20))
    let other = try serving.connect()
    try other.writeInbound(try Self.large(1 << 20).getSlice(at: 0, length: 100_000))
    for _ in 0..<2 {
      serving.pass(.seconds(29))
      try greedy.writeInbound(ByteBuffer(bytes: [1]))
    }
    #expect(greedy.isActive)
    serving.pass(.seconds(3))
    #expect(!greedy.isActive, "a byte now and then is no pace")
    #expect(other.isActive, "the time in which it is not read is not the other one's")
    serving.pass(.seconds(20))
    #expect(!other.isActive, "it goes on now, and has to")
  }
}
