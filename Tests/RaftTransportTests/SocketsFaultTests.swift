import Logging
import NIOCore
import RaftTransport
import RaftTransportTesting
import Testing

@Suite("Sockets: peers that vanish", .serialized, .timeLimit(.minutes(5)))
struct SocketsFaultTests {
  enum Fault: String, CaseIterable, Sendable {
    /// A FIN to both ends.
    case cut
    /// An RST to both ends.
    case reset
    /// Nothing goes through any more, and nobody is told.
    case blackHole
    /// The callee hears nothing any more.
    case deafCallee
    /// The caller hears nothing any more.
    case deafCaller

    static let both: [Fault] = [.cut, .reset, .blackHole]

    func apply(to link: FaultyLink) async throws {
      switch self {
      case .cut: try await link.cut()
      case .reset: try await link.reset()
      case .blackHole:
        for direction in FaultyLink.Direction.allCases { try await silence(direction, of: link) }
      case .deafCallee: try await silence(.toTarget, of: link)
      case .deafCaller: try await silence(.toClient, of: link)
      }
    }

    private func silence(_ direction: FaultyLink.Direction, of link: FaultyLink) async throws {
      // What is swallowed is lost, and while it is stalled not even an end goes through.
      try await link.stall(direction)
      try await link.swallow(direction)
    }
  }

  /// Longer than the connection's own liveness bound of five seconds, shorter than any other limit of these tests.
  private static let livenessBound = Duration.seconds(30)

  /// A caller that reaches its callee over a faulty link, and a check afterwards that all is well again.
  private func withLink(
    depth: Int = 2, compression: CompressionMode = .automatic, timeout: Duration = .seconds(120),
    _ body: (FaultyLink, MuxTransport, MuxTransport) async throws -> Void
  ) async throws {
    let caller = try await listen("a") {
      $0.maxRPCsInFlight = depth
      $0.compression = compression
      $0.timeout = timeout
    }
    let callee = try await listen("b")
    let link = try await FaultyLink.start(to: callee.localAddress)
    try await closing(caller, callee) {
      let start = ContinuousClock.now
      try await body(link, caller, callee)
      #expect(ContinuousClock.now - start < Self.livenessBound)
      try await link.heal()
      let echo = EchoConsumer(callee)
      try await untilDelivered { try await caller.proveCall(to: "b", at: link.address, number: 11) }
      try await caller.withAppendPipeline(id: "b", target: link.address) { pipeline in
        let response = try await pipeline.appendEntries(numbered(12)).response
        #expect(response.lastLog == 13)
      }
      await echo.stop()
    }
    await link.close()
  }

  // R-DRN-14
  @Test("Calls under way end with delivery unknown", arguments: Fault.allCases)
  func unary(_ fault: Fault) async throws {
    try await withLink { link, caller, callee in
      async let append = failure("an append") {
        try await caller.appendEntries(id: "b", target: link.address, numbered(1))
      }
      async let vote = failure("a vote") {
        try await caller.requestVote(id: "b", target: link.address, RequestVoteRequest(term: 1))
      }
      let consumer = callee.consumer.makeAsyncIterator()
      let received = [await consumer.next(), await consumer.next()]
      try await fault.apply(to: link)
      for error in [try await append, try await vote] {
        #expect(error.code == .connectionLost, "\(error)")
        #expect(error.delivery == .unknown)
      }
      for rpc in received { #expect(rpc?.fail("too late") == true) }
    }
  }

  @Test("A pipeline fails all that was not answered, and its consumer ends", arguments: Fault.both)
  func pipeline(_ fault: Fault) async throws {
    try await withLink(depth: 8) { link, caller, callee in
      let pipeline = try await caller.appendEntriesPipeline(id: "b", target: link.address)
      var futures: [AppendFuture] = []
      for number in 1...5 as ClosedRange<UInt64> {
        futures.append(try await pipeline.appendEntries(numbered(number)))
      }
      var received: [Responder<AppendEntriesResponse>] = []
      for _ in futures { received.append(try await callee.nextAppend().responder) }
      received[0].succeed(AppendEntriesResponse(term: 5, success: true))
      #expect(try await futures[0].response.success)

      try await fault.apply(to: link)
      for future in futures.dropFirst() {
        let error = try await failure("a pipelined request") { try await future.response }
        #expect(error.code == .connectionLost, "\(error)")
        #expect(error.delivery == .unknown)
      }
      let consumer = pipeline.consumer.makeAsyncIterator()
      for future in futures { #expect(await consumer.next() === future) }
      #expect(await consumer.next() == nil)
      let error = try await failure("a request on a broken pipeline") {
        try await pipeline.appendEntries(numbered(9))
      }
      #expect(error.code == .connectionLost)
      #expect(error.delivery == .notDelivered)
      await pipeline.close()
    }
  }

  @Test("A snapshot fails on both sides", arguments: Fault.both, [CompressionMode.off, .automatic])
  func snapshot(_ fault: Fault, _ compression: CompressionMode) async throws {
    try await withLink(compression: compression) { link, caller, callee in
      let size = 64 << 20
      async let outcome = failure("a snapshot") {
        try await caller.installSnapshot(
          id: "b", target: link.address, InstallSnapshotRequest(size: Int64(size)),
          data: SnapshotSource(ByteBuffer(repeating: 3, count: size)))
      }
      let (body, responder) = try await callee.nextSnapshot()
      let reader = body.makeAsyncIterator()
      #expect(try await (reader.next()?.readableBytes ?? 0) > 0)
      // Nobody reads on until the path is gone, so that it goes in the middle.
      try await fault.apply(to: link)
      let cut = try await failure("the body of a snapshot that was cut") {
        while try await reader.next() != nil {}
      }
      #expect(cut.code == .snapshotCut, "\(cut)")
      let error = try await outcome
      #expect(error.code == .connectionLost, "\(error)")
      #expect(error.delivery == .unknown)
      responder.fail("too late")
    }
  }

  @Test("Where connections are refused, calls fail undelivered, and soon after it is over they work")
  func refusedConnections() async throws {
    try await withLink { link, caller, callee in
      try await link.refuseConnections()
      for _ in 1...20 {
        let error = try await failure("a call that is refused") {
          try await caller.proveCall(to: "b", at: link.address)
        }
        #expect(error.code == .unreachable, "\(error)")
        #expect(error.delivery == .notDelivered)
      }
      // Most of them failed at once, without another attempt.
      #expect(try await link.figures().connectionsAccepted < 20)
    }
  }

  @Test("A handshake that hangs ends the waiting calls undelivered, each in its own way")
  func hangingHandshake() async throws {
    try await withLink(timeout: .seconds(4)) { link, caller, callee in
      for direction in FaultyLink.Direction.allCases { try await link.stall(direction) }
      let cancelled = Task {
        try await failure("a cancelled call") { try await caller.proveCall(to: "b", at: link.address) }
      }
      async let timedOut = failure("a call that times out") {
        try await caller.proveCall(to: "b", at: link.address)
      }
      try await eventually("the handshake hangs") { try await link.figures().connectionsAccepted == 1 }
      cancelled.cancel()
      let (first, second) = (try await cancelled.value, try await timedOut)
      #expect(first.code == .cancelled, "\(first)")
      #expect(second.code == .timeout, "\(second)")
      #expect(first.delivery == .notDelivered && second.delivery == .notDelivered)
    }
  }

  @Test("A slow path with long delays is not taken for a dead one")
  func slowPath() async throws {
    try await withLink { link, caller, callee in
      let echo = EchoConsumer(callee)
      for direction in FaultyLink.Direction.allCases {
        try await link.delay(.milliseconds(300), direction)
        try await link.throttle(bytesPerSecond: 400_000, direction)
      }
      for number in 1...2 as ClosedRange<UInt64> {
        try await caller.proveCall(to: "b", at: link.address, number: number)
      }
      let size: Int64 = 500_000
      let response = try await caller.installSnapshot(
        id: "b", target: link.address, InstallSnapshotRequest(size: size),
        data: SnapshotSource(ByteBuffer(repeating: 9, count: Int(size))))
      #expect(response.success)
      #expect(try await link.figures().connectionsAccepted == 1)
      await echo.stop()
    }
  }

  // MARK: Peers that start again

  @Test(
    "A peer that started again at its address is called again and calls again",
    arguments: ["a", "c"] as [ServerID])
  func restart(peerID: ServerID) async throws {
    let server = try await listen("b")
    let echo = EchoConsumer(server)
    var peer = try await listen(peerID)
    let address = peer.localAddress
    try await closing(server) {
      for round in 1...4 as ClosedRange<UInt64> {
        let peerEcho = EchoConsumer(peer)
        let current = peer
        // Each side is the first to call in half of the rounds.
        if round.isMultiple(of: 2) {
          try await untilDelivered { try await current.proveCall(to: server, as: "b", number: round) }
        }
        try await untilDelivered { try await server.proveCall(to: peerID, at: address, number: round) }
        try await untilDelivered { try await current.proveCall(to: server, as: "b", number: round) }
        try await eventually("the pair settles on one connection") {
          let (here, there) = (await server.statistics(), await current.statistics())
          return here.connections.count == 1 && there.connections.count == 1
        }
        await peer.close()
        await peerEcho.stop()
        if round < 4 { peer = try await listenAgain(peerID, on: address) }
      }
    }
    await peer.close()
    await echo.stop()
  }

  @Test(
    "A peer that died without a word and started again takes its old connection's place",
    arguments: ["a", "c"] as [ServerID])
  func silentRestart(peerID: ServerID) async throws {
    let server = try await listen("b")
    let echo = EchoConsumer(server)
    let first = try await listen(peerID)
    let address = first.localAddress
    // The server reaches its peer over a link that goes dead, so that it never hears of the peer's end.
    let link = try await FaultyLink.start(to: address)
    try await closing(server) {
      let firstEcho = EchoConsumer(first)
      try await server.proveCall(to: peerID, at: link.address)
      try await Fault.blackHole.apply(to: link)
      await first.close()
      await firstEcho.stop()

      let second = try await listenAgain(peerID, on: address)
      let secondEcho = EchoConsumer(second)
      try await closing(second) {
        let start = ContinuousClock.now
        try await untilDelivered { try await second.proveCall(to: server, as: "b") }
        try await untilDelivered { try await server.proveCall(to: peerID, at: address) }
        #expect(ContinuousClock.now - start < Self.livenessBound)
        try await eventually("the pair settles on one connection") {
          let (here, there) = (await server.statistics(), await second.statistics())
          return here.connections.count == 1 && there.connections.count == 1
        }
        try await second.proveCall(to: server, as: "b")
        try await server.proveCall(to: peerID, at: address)
      }
      await secondEcho.stop()
    }
    await link.close()
    await echo.stop()
  }
}
