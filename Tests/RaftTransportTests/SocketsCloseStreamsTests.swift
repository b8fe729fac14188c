import NIOCore
import RaftTransport
import RaftTransportTesting
import RaftWire
import StreamMux
import Testing

@Suite("Sockets: closing the streams", .serialized, .timeLimit(.minutes(5)))
struct SocketsCloseStreamsTests {
  @Test("The next call after closing the streams works, on a new connection", arguments: [false, true])
  func nextCallWorks(callerIsArbiter: Bool) async throws {
    let (callerID, calleeID): (ServerID, ServerID) =
      callerIsArbiter ? ("omega", "alpha") : ("alpha", "omega")
    let caller = try await listen(callerID)
    let callee = try await listen(calleeID)
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      var ports: Set<Int> = []
      for round in 1...5 as ClosedRange<UInt64> {
        try await caller.proveCall(to: callee, as: calleeID, number: round)
        let connections = await caller.statistics().connections
        #expect(connections.count == 1)
        ports.formUnion(connections.map(\.localPort))
        await caller.closeStreams()
      }
      #expect(ports.count == 5, "each round had a connection of its own")
    }
    await echo.stop()
  }

  @Test("The streams of idle connections end: nothing is left of them")
  func idleConnectionsEnd() async throws {
    let caller = try await listen("alpha")
    let callee = try await listen("omega")
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      try await caller.proveCall(to: callee, as: "omega")
      await caller.closeStreams()
      try await eventually("both sides have no connection") {
        let (here, there) = (await caller.statistics(), await callee.statistics())
        return here.connections.isEmpty && there.connections.isEmpty
      }
      if SystemSockets.isAvailable {
        try await eventually("the system has none, either") {
          SystemSockets().connectionCount(ofPorts: [caller.port, callee.port]) == 0
        }
      }
    }
    await echo.stop()
  }

  @Test("Closing the streams while nothing was called does nothing")
  func closingNothing() async throws {
    let caller = try await listen("alpha")
    let callee = try await listen("omega")
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      await caller.closeStreams()
      await callee.closeStreams()
      try await caller.proveCall(to: callee, as: "omega")
    }
    await echo.stop()
  }

  @Test("A call and a snapshot under way come to their end", arguments: ["alpha", "omega"])
  func callsUnderWayEndWell(closer: String) async throws {
    let caller = try await listen("alpha")
    let callee = try await listen("omega")
    try await closing(caller, callee) {
      async let append = caller.appendEntries(id: "omega", target: callee.localAddress, numbered(7))
      let received = try await callee.nextAppend()
      async let snapshot = caller.installSnapshot(
        id: "omega", target: callee.localAddress, InstallSnapshotRequest(term: 2, size: 3_000_000),
        data: SnapshotSource(ByteBuffer(repeating: 0x5A, count: 3_000_000)))
      let (body, responder) = try await callee.nextSnapshot()

      await (closer == "alpha" ? caller : callee).closeStreams()

      received.responder.succeed(EchoConsumer.response(to: received.request))
      #expect(try await append.lastLog == 8)
      let bytes = try await body.collect(upTo: 4_000_000)
      #expect(bytes.readableBytes == 3_000_000)
      responder.succeed(InstallSnapshotResponse(term: 2, success: true))
      #expect(try await snapshot.success)
    }
  }

  @Test("A pipeline ends with an error when either side closes its streams, and a new one works")
  func pipelinesEnd() async throws {
    let caller = try await listen("alpha") { $0.maxRPCsInFlight = 8 }
    let callee = try await listen("omega")
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      for closer in [caller, callee, caller, callee] {
        let pipeline = try await untilDelivered {
          try await caller.appendEntriesPipeline(id: "omega", target: callee.localAddress)
        }
        let future = try await pipeline.appendEntries(numbered(3))
        #expect(try await future.response.lastLog == 4)

        await closer.closeStreams()

        // Nothing but the consumer tells a pipeline that has nothing under way that it is over.
        let consumer = pipeline.consumer.makeAsyncIterator()
        #expect(await consumer.next() === future)
        #expect(await consumer.next() == nil)
        let error = try await failure("a request on an ended pipeline") {
          try await pipeline.appendEntries(numbered(4))
        }
        #expect(error.delivery == .notDelivered)
        #expect([.pipelineClosed, .streamReset, .connectionLost].contains(error.code), "\(error)")
        await pipeline.close()
      }
      try await caller.withAppendPipeline(id: "omega", target: callee.localAddress) { pipeline in
        let response = try await pipeline.appendEntries(numbered(9)).response
        #expect(response.lastLog == 10)
      }
    }
    await echo.stop()
  }

  // R-DRN-25
  @Test("A stream on which a request was answered is ended by who closes its streams, in words that say why")
  func answeredStreamsAreEnded() async throws {
    let server = try await listen("omega")
    let echo = EchoConsumer(server)
    try await closing(server) {
      let peer = try await RawPeer.connect(to: server.localAddress)
      try await peer.shakeHands(try RawPeer.hello())
      var request = ByteBuffer()
      try WireEncoder(profile: .default).encode(request: numbered(1), into: &request)
      let opening = DataHeader.Opening(StreamOpening(trafficClass: .append, encoding: .plain, group: 0))
      await peer.send(
        DataHeader(stream: 1, opening: opening, byteCount: request.readableBytes), request)
      #expect(try await peer.nextData()?.0.isLast == false)
      async let closed: Void = server.closeStreams()
      let code = try await peer.next { frame in if case .stop(1, let code) = frame { code } else { nil } }
      #expect(code == .shutdown)
      let end = try await peer.nextData()?.0
      #expect(end?.stream == 1 && end?.isLast == true)
      await peer.send(.reset(stream: 1, code: .shutdown))
      await peer.finish()
      await closed
      await peer.close()
    }
    await echo.stop()
  }

  @Test("Requests of a pipeline without answers fail with delivery unknown when streams are closed")
  func unansweredPipelinedRequests() async throws {
    let caller = try await listen("alpha") { $0.maxRPCsInFlight = 8 }
    let callee = try await listen("omega")
    try await closing(caller, callee) {
      let pipeline = try await caller.appendEntriesPipeline(id: "omega", target: callee.localAddress)
      let futures = [
        try await pipeline.appendEntries(numbered(1)), try await pipeline.appendEntries(numbered(2)),
      ]
      let received = [try await callee.nextAppend(), try await callee.nextAppend()]
      await caller.closeStreams()
      for future in futures {
        let error = try await failure("a request without an answer") { try await future.response }
        #expect(error.code == .pipelineClosed)
        #expect(error.delivery == .unknown)
      }
      for request in received { request.responder.succeed(EchoConsumer.response(to: request.request)) }
      let echo = EchoConsumer(callee)
      try await caller.proveCall(to: callee, as: "omega")
      await echo.stop()
    }
  }

  @Test("What was asked of the side that closes its streams is still answered")
  func requestsBeforeARemoteCloseAreAnswered() async throws {
    let caller = try await listen("alpha") { $0.maxRPCsInFlight = 8 }
    let callee = try await listen("omega")
    try await closing(caller, callee) {
      let pipeline = try await caller.appendEntriesPipeline(id: "omega", target: callee.localAddress)
      let first = try await pipeline.appendEntries(numbered(1))
      let second = try await pipeline.appendEntries(numbered(2))
      let received = [try await callee.nextAppend(), try await callee.nextAppend()]
      await callee.closeStreams()
      for request in received { request.responder.succeed(EchoConsumer.response(to: request.request)) }
      #expect(try await first.response.lastLog == 2)
      #expect(try await second.response.lastLog == 3)
      let consumer = pipeline.consumer.makeAsyncIterator()
      #expect(await consumer.next() === first)
      #expect(await consumer.next() === second)
      #expect(await consumer.next() == nil)
      await pipeline.close()
    }
  }

  @Test("A call that waits for its connection is not hurt by closing the streams")
  func dialsGoOn() async throws {
    let caller = try await listen("alpha")
    let callee = try await listen("omega")
    let link = try await FaultyLink.start(to: callee.localAddress)
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      try await link.stall(.toTarget)
      async let call: Void = caller.proveCall(to: "omega", at: link.address)
      try await eventually("the handshake hangs") { try await link.figures().connectionsAccepted == 1 }
      await caller.closeStreams()
      try await link.resume(.toTarget)
      try await call
    }
    await link.close()
    await echo.stop()
  }

  @Test("Calls from many tasks while the streams are closed again and again never get lost")
  func closingUnderLoad() async throws {
    let caller = try await listen("alpha")
    let callee = try await listen("omega")
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<8 as Range<UInt64> {
          group.addTask {
            for round in 1...40 as ClosedRange<UInt64> {
              let number = task * 1_000 + round
              let response = try await untilDelivered {
                try await caller.appendEntries(id: "omega", target: callee.localAddress, numbered(number))
              }
              #expect(response.lastLog == number + 1)
            }
          }
        }
        for _ in 1...5 {
          let before = echo.counts.appendEntries
          try await eventually("calls go on") {
            echo.counts.appendEntries >= min(before + 20, 320)
          }
          await caller.closeStreams()
        }
        try await group.waitForAll()
      }
      #expect(echo.counts.appendEntries == 320, "each request was delivered exactly once")
    }
    await echo.stop()
  }
}
