import Logging
import NIOCore
import RaftTransport
import RaftTransportTesting
import RaftWire
import StreamMux
import Testing

@Suite("Limits over sockets", .serialized, .timeLimit(.minutes(5)))
struct LimitTests {
  /// Which end of the connection the hostile one is.
  enum Side: CaseIterable { case dialler, acceptor }

  /// A transport, one that uses it all the while, and a hostile peer at either side of a connection with it.
  private func withHostile(
    _ side: Side, _ limits: TransportConfiguration.Limits = .defaults,
    _ body: (MuxTransport, RawPeer, LogCapture, () async throws -> Void) async throws -> Void
  ) async throws {
    let log = LogCapture()
    let server = try await listen("b", logger: log.logger) { $0.limits = limits }
    let friend = try await listen("a")
    let echo = EchoConsumer(friend)
    let listener = try await RawListener.start()
    try await closing(server, friend) {
      let prove = { try await server.proveCall(to: friend, as: "a") }
      try await prove()
      let peer: RawPeer
      var calling: Task<Void, Never>?
      switch side {
      case .dialler:
        peer = try await RawPeer.established(to: server.localAddress, as: "hostile")
      case .acceptor:
        let address = listener.address
        calling = Task {
          _ = try? await server.timeoutNow(id: "hostile", target: address, TimeoutNowRequest())
        }
        peer = try await listener.next()
        try await peer.acceptHands(try RawPeer.hello(serverID: "hostile"))
      }
      try await body(server, peer, log, prove)
      await peer.close()
      await calling?.value
      try await prove()
      #expect(await server.statistics().events.dialled == (side == .acceptor ? 2 : 1), "its own is the same")
    }
    await listener.close()
    await echo.stop()
  }

  // R-LIM-3, R-FLW-2, R-FLW-19, R-FRM-6, R-FRM-11
  @Test(
    "Who goes beyond a limit is told the code, and it is in the log and in a counter",
    arguments: LimitAttack.all, Side.allCases)
  func attack(_ attack: LimitAttack, _ side: Side) async throws {
    try await withHostile(side, .init(unansweredRequestsPerStream: 1)) { server, peer, log, prove in
      try await attack.carryOut(peer, side == .dialler ? 1 : 2)
      #expect(try await peer.nextEnd() == attack.code)
      try await log.expect(attack.reason, level: .warning)
      let name = attack.code.name ?? ""
      try await eventually("it is counted") { await server.statistics().events.violations == [name: 1] }
      try await prove()
    }
  }

  // R-LIM-10
  @Test("Of one address only so many connections are in the handshake, and other addresses do not feel it")
  func handshakesPerAddress() async throws {
    let log = LogCapture()
    let server = try await listen("b", logger: log.logger) {
      $0.limits.handshakesPerAddress = 3
      $0.limits.handshakes = 100
    }
    let echo = EchoConsumer(server)
    try await closing(server) {
      var strangers: [RawPeer] = []
      // Those that are kept may be given up before the last one comes, on a machine that is busy enough.
      while strangers.count < 80, await server.statistics().events.turnedAway == 0 {
        for _ in 1...4 {
          strangers.append(try await RawPeer.connect(to: server.localAddress, from: "127.0.0.2"))
        }
        try await eventually("all came in") { await server.statistics().events.accepted == strangers.count }
      }
      #expect(log.contains("too many connections are in the handshake", "127.0.0.2", level: .warning))
      let friend = try await listen("a")
      try await closing(friend) { try await friend.proveCall(to: server, as: "b") }
      for stranger in strangers { await stranger.close() }
    }
    await echo.stop()
  }

  @Test("More connections than a server takes are refused with busy, which the caller is told")
  func connections() async throws {
    let log = LogCapture()
    let server = try await listen("b", logger: log.logger) { $0.limits.connections = 2 }
    let echo = EchoConsumer(server)
    let callers = [try await listen("c"), try await listen("d"), try await listen("e")]
    try await closing(server, callers[0], callers[1], callers[2]) {
      for caller in callers.dropLast() { try await caller.proveCall(to: server, as: "b") }
      let error = try await failure("a call to a busy server") {
        try await callers[2].proveCall(to: server, as: "b")
      }
      #expect(error.code == .refused, "\(error)")
      #expect(error.delivery == .notDelivered)
      #expect(error.message.contains("as many connections as it takes"), "\(error)")
      try await eventually("both count it") {
        let (here, there) = (await server.statistics().events, await callers[2].statistics().events)
        return here.refusals == ["busy": 1] && there.refusalsByPeers == ["busy": 1]
      }
      // One that leaves makes room.
      await callers[0].close()
      try await untilDelivered { try await callers[2].proveCall(to: server, as: "b") }
    }
    await echo.stop()
  }

  @Test("A handshake that comes byte by byte has no more time than one that does not come")
  func slowHandshake() async throws {
    let log = LogCapture()
    let server = try await listen("b", logger: log.logger)
    try await closing(server) {
      try await Onslaught.untilHandshakeIsLate(server.localAddress)
      try await eventually("it is counted") {
        await server.statistics().events.violations == ["handshakeTimeout": 1]
      }
    }
  }

  // R-LIV-6
  @Test("A peer that asks and never reads is given up, though it goes on to speak", arguments: Side.allCases)
  func neverReads(_ side: Side) async throws {
    try await withHostile(side) { server, peer, log, prove in
      let consumer = server.consumer
      let answering = Task {
        let text = String(repeating: "x", count: 240_000)
        for await rpc in consumer { rpc.fail(text) }
      }
      await peer.stopReading()
      // 60 MB of answers are more than the system keeps for one connection.
      for index: UInt64 in 0..<250 {
        await peer.open(
          (side == .dialler ? 1 : 2) + 2 * index, .append, try bytes(of: numbered(index)), isLast: true)
      }
      let speaking = Task {
        while !Task.isCancelled {
          await peer.send(.pong(1 << 63))
          // It is heard of more often than silence would be noticed.
          try await Task.sleep(for: .milliseconds(200))
        }
      }
      try await log.expect("nothing was heard of the peer for too long", level: .warning)
      try await eventually("it is counted") { await server.statistics().events.closures == ["silent": 1] }
      speaking.cancel()
      try await prove()
      answering.cancel()
      await answering.value
    }
  }

  @Test("A message beyond the limit costs its stream and not the connection", arguments: Side.allCases)
  func messages(_ side: Side) async throws {
    try await withHostile(side, .init(maximumMessageBytes: 16 << 10)) { server, peer, log, prove in
      let stream: UInt64 = side == .dialler ? 1 : 2
      let large = AppendEntriesRequest(
        term: 1, previousLogIndex: 1, previousLogTerm: 1,
        entries: [LogEntry(index: 1, term: 1, data: ByteBuffer(repeating: 1, count: 20_000))],
        leaderCommitIndex: 1)
      await peer.open(stream, .append, try bytes(of: large))
      let told = try await peer.next { frame -> ErrorCode? in
        if case .stop(stream, let code) = frame { code } else { nil }
      }
      #expect(told == .messageTooLarge)
      try await peer.settle()
      #expect(await server.statistics().events.unreadableRequests == 1)
      try await log.expect("a peer sent a request that cannot be read", level: .warning)
      try await prove()
    }
  }

  /// A chunk's head and bytes (Spec/snapshots.md).
  private static func chunk(_ method: UInt8, raw: UInt32, encoded: UInt32, _ bytes: ByteBuffer) -> ByteBuffer
  {
    var chunk = ByteBuffer()
    chunk.writeMultipleIntegers(method, raw, encoded)
    chunk.writeImmutableBuffer(bytes)
    return chunk
  }

  @Test(
    "A chunk that is more than it may be, or becomes more than it says, costs its stream and no memory",
    arguments: [
      (
        "longer than a chunk may be",
        chunk(0, raw: 262_145, encoded: 262_145, ByteBuffer(repeating: 0, count: 64))
      ),
      ("larger than what it is made of", chunk(1, raw: 10, encoded: 20, ByteBuffer(repeating: 0, count: 20))),
      (
        "zlib data of another length",
        // The beginning of a megabyte of zeros, said to be 300.
        chunk(
          1, raw: 300, encoded: 24,
          ByteBuffer(bytes: [
            0x78, 0xDA, 0xED, 0xC1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80, 0x90, 0xFE, 0xAF, 0xEE, 0x08, 0x0A, 0,
            0, 0,
            0, 0, 0, 0, 0,
          ]))
      ),
      ("of an unknown method", chunk(7, raw: 1, encoded: 1, ByteBuffer(bytes: [1]))),
    ])
  func chunks(name: String, chunk: ByteBuffer) async throws {
    try await withHostile(.dialler) { server, peer, _, prove in
      var request = try bytes(of: InstallSnapshotRequest(term: 1, size: 1 << 20))
      request.writeImmutableBuffer(chunk)
      await peer.open(1, .snapshot, encoding: .chunked, request)
      let snapshot = try await server.nextSnapshot()
      let error = try await failure("a body that cannot be read") {
        for try await _ in snapshot.body {}
      }
      #expect(error.code == .snapshotCut, "\(error)")
      snapshot.responder.fail("unreadable")
      let told = try await peer.next { frame -> ErrorCode? in
        if case .stop(1, let code) = frame { code } else { nil }
      }
      #expect(told == .malformedChunk)
      try await prove()
    }
  }
}
