import NIOCore
import RaftTransport
import RaftTransportTesting
import RaftWire
import StreamMux
import Testing

@Suite("Sockets: consumers that do not answer", .serialized, .timeLimit(.minutes(5)))
struct SocketsStalledConsumerTests {
  private static let heartbeat = AppendEntriesRequest(
    header: RPCHeader(address: ByteBuffer(string: "leader")), term: 3)

  /// Proves that votes, pre-votes, TimeoutNow and heartbeats get through while appends are stuck at the callee.
  private func proveElections(_ caller: MuxTransport, _ callee: MuxTransport) async throws {
    callee.setHeartbeatHandler { rpc in
      if case .appendEntries(_, let responder) = rpc.command {
        responder.succeed(AppendEntriesResponse(term: 33))
      }
    }
    for term in 1...10 as ClosedRange<UInt64> {
      async let vote = caller.requestVote(
        id: "b", target: callee.localAddress, RequestVoteRequest(term: term))
      let rpc = await callee.consumer.makeAsyncIterator().next()
      guard case .requestVote(_, let responder) = rpc?.command else {
        throw NeverHappened(description: "a vote that overtakes what is stuck")
      }
      responder.succeed(RequestVoteResponse(term: term, granted: true))
      #expect(try await vote.term == term)
      let beat = try await caller.appendEntries(id: "b", target: callee.localAddress, Self.heartbeat)
      #expect(beat.term == 33)
    }
  }

  @Test("A pipeline that nobody answers stalls alone")
  func stalledPipeline() async throws {
    let caller = try await listen("a") { $0.maxRPCsInFlight = 16 }
    let callee = try await listen("b") { $0.limits.unansweredRequestsPerStream = 4 }
    try await closing(caller, callee) {
      let stalled = try await caller.appendEntriesPipeline(id: "b", target: callee.localAddress)
      for number in 1...15 as ClosedRange<UInt64> { _ = try await stalled.appendEntries(numbered(number)) }
      var unanswered: [Responder<AppendEntriesResponse>] = []
      for _ in 1...4 { unanswered.append(try await callee.nextAppend().responder) }
      try await proveElections(caller, callee)

      // Another pipeline and a snapshot go on beside it.
      async let other: Void = caller.withAppendPipeline(id: "b", target: callee.localAddress) { pipeline in
        let response = try await pipeline.appendEntries(numbered(100)).response
        #expect(response.lastLog == 101)
      }
      let received = try await callee.nextAppend()
      #expect(received.request == numbered(100), "no fifth request of the stalled stream")
      received.responder.succeed(EchoConsumer.response(to: received.request))
      try await other
      async let snapshot = caller.installSnapshot(
        id: "b", target: callee.localAddress, InstallSnapshotRequest(size: 2_000_000),
        data: SnapshotSource(ByteBuffer(repeating: 1, count: 2_000_000)))
      let (body, responder) = try await callee.nextSnapshot()
      #expect(try await body.collect(upTo: 2_000_000).readableBytes == 2_000_000)
      responder.succeed(InstallSnapshotResponse(success: true))
      #expect(try await snapshot.success)

      // And the stalled one goes on where it was left.
      let echo = EchoConsumer(callee)
      for responder in unanswered { responder.succeed(AppendEntriesResponse(success: true)) }
      let consumer = stalled.consumer.makeAsyncIterator()
      for number in 1...15 as ClosedRange<UInt64> {
        let future = try #require(await consumer.next())
        #expect(future.request == numbered(number))
        #expect(try await future.response.success)
      }
      await stalled.close()
      await echo.stop()
    }
  }

  @Test("With the stream credit for appends used up, elections go on and appends wait for their turn")
  func usedUpStreamCredit() async throws {
    let caller = try await listen("a")
    let callee = try await listen("b") { $0.limits.appendStreams = 2 }
    try await closing(caller, callee) {
      try await withThrowingTaskGroup(of: UInt64.self) { group in
        for number in 1...6 as ClosedRange<UInt64> {
          group.addTask {
            try await caller.appendEntries(id: "b", target: callee.localAddress, numbered(number)).lastLog
          }
        }
        var unanswered = [try await callee.nextAppend(), try await callee.nextAppend()]
        try await proveElections(caller, callee)
        #expect(await callee.statistics().connections.map(\.streams.append) == [2])

        // A call that is cancelled while it waits for credit was not delivered.
        let waiting = Task {
          try await failure("a call without stream credit") {
            try await caller.appendEntries(id: "b", target: callee.localAddress, numbered(99))
          }
        }
        try await eventually("the call waits on the connection") {
          await caller.statistics().connections.first?.callsInFlight == 7
        }
        waiting.cancel()
        let error = try await waiting.value
        #expect(error.code == .cancelled)
        #expect(error.delivery == .notDelivered)

        for _ in 1...6 {
          let append = unanswered.isEmpty ? try await callee.nextAppend() : unanswered.removeFirst()
          #expect(append.request.previousLogIndex < 99)
          append.responder.succeed(EchoConsumer.response(to: append.request))
        }
        var answers: Set<UInt64> = []
        for try await answer in group { answers.insert(answer) }
        #expect(answers == [2, 3, 4, 5, 6, 7])
      }
    }
  }

  // R-DRN-13, R-DRN-14
  @Test("A call that waits for stream credit times out undelivered; one that was sent, with delivery unknown")
  func timeouts() async throws {
    // Long enough for a busy machine to get both calls under way.
    let caller = try await listen("a") { $0.timeout = .seconds(15) }
    let callee = try await listen("b") { $0.limits.appendStreams = 1 }
    try await closing(caller, callee) {
      async let sent = failure("a call that nobody answers") {
        try await caller.appendEntries(id: "b", target: callee.localAddress, numbered(1))
      }
      try await eventually("the first call has the only stream") {
        await callee.statistics().connections.map(\.streams.append) == [1]
      }
      async let waiting = failure("a call without stream credit") {
        try await caller.appendEntries(id: "b", target: callee.localAddress, numbered(2))
      }
      let (first, second) = (try await sent, try await waiting)
      #expect(first.code == .timeout)
      #expect(first.delivery == .unknown)
      #expect(second.code == .timeout)
      #expect(second.delivery == .notDelivered)
      // The credit comes back when the handler is done, and the late answer harms nobody.
      let received = try await callee.nextAppend()
      #expect(received.request == numbered(1))
      received.responder.succeed(AppendEntriesResponse(term: 666))
      let echo = EchoConsumer(callee)
      try await caller.proveCall(to: callee, as: "b", number: 3)
      #expect(echo.counts.appendEntries == 1)
      await echo.stop()
    }
  }

  // R-FLW-10
  @Test("Requests are credited when they are answered, and not before")
  func creditFollowsAnswers() async throws {
    let server = try await listen("b")
    try await closing(server) {
      let peer = try await RawPeer.connect(to: server.localAddress)
      try await peer.shakeHands(try RawPeer.hello())
      // Each is small, so that none needs credit to become complete; all of them are more than a quarter of the window.
      let count = 10
      for number in 0..<count {
        let entry = LogEntry(index: UInt64(number), term: 5, data: ByteBuffer(repeating: 7, count: 10_000))
        var request = ByteBuffer()
        try WireEncoder(profile: .default).encode(
          request: AppendEntriesRequest(term: 5, entries: [entry]), into: &request)
        let opening = DataHeader.Opening(StreamOpening(trafficClass: .append, encoding: .plain, group: 0))
        await peer.send(
          DataHeader(stream: 1, opening: number == 0 ? opening : nil, byteCount: request.readableBytes),
          request)
      }
      var received: [Responder<AppendEntriesResponse>] = []
      for _ in 0..<count { received.append(try await server.nextAppend().responder) }
      // What was sent for the requests comes in front of the PONG.
      await peer.send(.ping(77))
      let first = try await peer.next { frame -> Frame? in
        switch frame {
        case .credit, .pong(77): frame
        default: nil
        }
      }
      #expect(first == .pong(77))
      for responder in received { responder.succeed(AppendEntriesResponse()) }
      let limit = try await peer.next { frame in if case .credit(1, let limit) = frame { limit } else { nil }
      }
      #expect(try #require(limit) >= 262_144 + 65_536)
      await peer.close()
    }
  }

  @Test("Cancelled calls give their stream credit back, again and again")
  func cancelledCalls() async throws {
    let caller = try await listen("a")
    let callee = try await listen("b") { $0.limits.appendStreams = 2 }
    try await closing(caller, callee) {
      for number in 1...100 as ClosedRange<UInt64> {
        let call = Task {
          try await caller.appendEntries(id: "b", target: callee.localAddress, numbered(number))
        }
        let received = try await callee.nextAppend()
        #expect(received.request == numbered(number))
        call.cancel()
        let error = try await failure("a cancelled call") { try await call.value }
        #expect(error.code == .cancelled)
        #expect(error.delivery == .unknown)
        received.responder.fail("too late")
      }
      let connections = await caller.statistics().connections
      #expect(connections.map(\.callsInFlight) == [0])
      try await eventually("no stream is left") {
        await callee.statistics().connections.map(\.streams.append) == [0]
      }
    }
  }

  @Test("More waiting calls than the configuration allows are refused, undelivered")
  func tooManyWaitingCalls() async throws {
    let caller = try await listen("a") { $0.limits.waitingCalls = 3 }
    let callee = try await listen("b") { $0.limits.appendStreams = 1 }
    try await closing(caller, callee) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await caller.proveCall(to: callee, as: "b", number: 0) }
        let first = try await callee.nextAppend()
        for number in 1...3 as ClosedRange<UInt64> {
          group.addTask { try await caller.proveCall(to: callee, as: "b", number: number) }
        }
        try await eventually("three calls wait") {
          await caller.statistics().connections.first?.callsInFlight == 4
        }
        let error = try await failure("a call too many") {
          try await caller.proveCall(to: callee, as: "b", number: 4)
        }
        #expect(error.code == .tooManyCalls, "\(error)")
        #expect(error.delivery == .notDelivered)
        let echo = EchoConsumer(callee)
        first.responder.succeed(EchoConsumer.response(to: first.request))
        try await group.waitForAll()
        await echo.stop()
      }
    }
  }

  @Test("Entries of 32 MiB go through small windows on several streams at once, both ways")
  func hugeEntries() async throws {
    let one = try await listen("a")
    let other = try await listen("b")
    let size = 32 << 20
    @Sendable func request(_ number: UInt64) -> AppendEntriesRequest {
      let data = ByteBuffer(repeating: UInt8(number), count: size)
      return AppendEntriesRequest(
        term: 2, previousLogIndex: number, entries: [LogEntry(index: 1, data: data)])
    }
    @Sendable func serve(_ transport: MuxTransport) async {
      for await rpc in transport.consumer {
        guard case .appendEntries(let received, let responder) = rpc.command else { continue }
        // One comparison of the whole, not one per byte.
        if received == request(received.previousLogIndex) {
          responder.succeed(EchoConsumer.response(to: received))
        } else {
          responder.fail("the entry has changed on its way")
        }
      }
    }
    let servers = [Task { await serve(one) }, Task { await serve(other) }]
    try await closing(one, other) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 1...3 as ClosedRange<UInt64> {
          for (caller, id, callee) in [(one, "b" as ServerID, other), (other, "a", one)] {
            group.addTask {
              let response = try await caller.appendEntries(
                id: id, target: callee.localAddress, request(number))
              #expect(response.lastLog == number + 1)
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(await one.statistics().connections.count == 1)
    }
    for server in servers { await server.value }
  }

  @Test("A message larger than the limit ends its own stream, and says so")
  func tooLargeMessage() async throws {
    let caller = try await listen("a")
    let callee = try await listen("b") { $0.limits.maximumMessageBytes = 1 << 20 }
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      let entry = LogEntry(index: 1, data: ByteBuffer(repeating: 0, count: 4 << 20))
      let error = try await failure("a message that is too large") {
        try await caller.appendEntries(
          id: "b", target: callee.localAddress, AppendEntriesRequest(term: 1, entries: [entry]))
      }
      #expect(error.code == .streamReset)
      #expect(error.message.contains("messageTooLarge"), "\(error)")
      try await caller.proveCall(to: callee, as: "b")
      #expect(await caller.statistics().connections.count == 1)
    }
    await echo.stop()
  }
}
