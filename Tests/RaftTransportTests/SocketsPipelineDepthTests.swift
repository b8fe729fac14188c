import NIOCore
import RaftTransport
import RaftTransportTesting
import Synchronization
import Testing

@Suite("Sockets: how many requests a pipeline has under way", .timeLimit(.minutes(5)))
struct SocketsPipelineDepthTests {
  /// Sends requests one after the other from a task of its own and counts the sends that came back.
  private final class Sender: Sendable {
    private let returned = Mutex(0)
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ pipeline: any AppendPipeline) {
      let task = Task {
        for number in 1...1_000 as ClosedRange<UInt64> {
          guard (try? await pipeline.appendEntries(numbered(number))) != nil else { return }
          self.returned.withLock { $0 += 1 }
        }
      }
      self.task.withLock { $0 = task }
    }

    var returnedCount: Int { returned.withLock { $0 } }

    /// Waits until it ends, which it does when the pipeline is closed.
    func end() async {
      await task.withLock { $0 }?.value
    }
  }

  /// Enough round trips on the same connection for anything that was on its way to arrive.
  private func settle(_ caller: MuxTransport, _ callee: MuxTransport) async throws {
    for _ in 1...20 {
      _ = try await caller.appendEntries(
        id: "omega", target: callee.localAddress,
        AppendEntriesRequest(header: RPCHeader(address: ByteBuffer(string: "leader")), term: 1))
    }
  }

  /// A pair whose callee answers the round trips of ``settle(_:_:)`` past its consumer.
  private func pair(depth: Int) async throws -> (MuxTransport, MuxTransport) {
    let caller = try await listen("alpha") { $0.maxRPCsInFlight = depth }
    let callee = try await listen("omega")
    callee.setHeartbeatHandler { rpc in
      if case .appendEntries(_, let responder) = rpc.command { responder.succeed(AppendEntriesResponse()) }
    }
    return (caller, callee)
  }

  @Test(
    "Without answers N requests are written and N - 1 sends return", arguments: [0, 2, 3, 4, 8, 10, 130])
  func withoutAnswers(depth: Int) async throws {
    let effective = depth == 0 ? 2 : depth
    // One request more than are expected has to find room at the callee, so that it would be seen.
    let caller = try await listen("alpha") { $0.maxRPCsInFlight = depth }
    let callee = try await listen("omega") { $0.limits.unansweredRequestsPerStream = 200 }
    try await closing(caller, callee) {
      let pipeline = try await caller.appendEntriesPipeline(id: "omega", target: callee.localAddress)
      let sender = Sender(pipeline)
      var received: [Responder<AppendEntriesResponse>] = []
      for number in 1...UInt64(effective) {
        let append = try await callee.nextAppend()
        #expect(append.request == numbered(number))
        received.append(append.responder)
      }
      try await eventually("all sends but the last return") { sender.returnedCount == effective - 1 }
      // A vote overtakes nothing that was written before it came to the connection.
      async let vote = caller.requestVote(
        id: "omega", target: callee.localAddress, RequestVoteRequest(term: 1))
      let next = await callee.consumer.makeAsyncIterator().next()
      guard case .requestVote(_, let responder) = next?.command else {
        Issue.record("another request was written: \(String(describing: next?.command))")
        return
      }
      responder.succeed(RequestVoteResponse(term: 1, granted: true))
      #expect(try await vote.granted)
      #expect(sender.returnedCount == effective - 1)
      await pipeline.close()
      await sender.end()
    }
  }

  @Test(
    "With answers that nobody takes, 2 (N - 2) + 2 requests are written in all, and one more for each taken",
    arguments: [0, 2, 3, 4, 8, 10, 130])
  func withAnswersThatNobodyTakes(depth: Int) async throws {
    let effective = depth == 0 ? 2 : depth
    let written = 2 * (effective - 2) + 2
    let (caller, callee) = try await pair(depth: depth)
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      let pipeline = try await caller.appendEntriesPipeline(id: "omega", target: callee.localAddress)
      let sender = Sender(pipeline)
      try await eventually("\(written) requests arrive") { echo.counts.appendEntries == written }
      try await eventually("all sends but the last return") { sender.returnedCount == written - 1 }
      try await settle(caller, callee)
      #expect(echo.counts.appendEntries == written)
      #expect(sender.returnedCount == written - 1)

      let consumer = pipeline.consumer.makeAsyncIterator()
      for taken in 1...5 {
        let future = try #require(await consumer.next())
        #expect(future.request == numbered(UInt64(taken)))
        try await eventually("one more is written") { echo.counts.appendEntries == written + taken }
        try await eventually("one more returns") { sender.returnedCount == written + taken - 1 }
        try await settle(caller, callee)
        #expect(echo.counts.appendEntries == written + taken)
        #expect(sender.returnedCount == written + taken - 1)
      }
      await pipeline.close()
      await sender.end()
    }
    await echo.stop()
  }

  @Test("With a consumer that takes everything nothing stops", arguments: [0, 2, 3, 10])
  func withADrainedConsumer(depth: Int) async throws {
    let (caller, callee) = try await pair(depth: depth)
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      try await caller.withAppendPipeline(id: "omega", target: callee.localAddress) { pipeline in
        async let sending: Void = {
          for number in 1...500 as ClosedRange<UInt64> {
            _ = try await pipeline.appendEntries(numbered(number))
          }
        }()
        let consumer = pipeline.consumer.makeAsyncIterator()
        for number in 1...500 as ClosedRange<UInt64> {
          let future = try #require(await consumer.next())
          #expect(try await future.response.lastLog == number + 1)
        }
        try await sending
      }
    }
    await echo.stop()
  }

  @Test("With one request in flight there are no pipelines, and nobody is dialled")
  func depthOfOne() async throws {
    let caller = try await listen("alpha") { $0.maxRPCsInFlight = 1 }
    let callee = try await listen("omega")
    let link = try await FaultyLink.start(to: callee.localAddress)
    try await closing(caller, callee) {
      let error = try await failure("a pipeline") {
        try await caller.appendEntriesPipeline(id: "omega", target: link.address)
      }
      #expect(error.code == .pipelineUnsupported)
      #expect(error.delivery == .notDelivered)
      #expect(error.code.description == "pipeline replication not supported")
      #expect(try await link.figures().connectionsAccepted == 0)
      #expect(await caller.statistics().connections.isEmpty)

      let echo = EchoConsumer(callee)
      try await caller.proveCall(to: "omega", at: link.address)
      #expect(try await link.figures().connectionsAccepted == 1)
      await echo.stop()
    }
    await link.close()
  }

  @Test("Ten requests are sent before the first answer is read")
  func tenSendsBeforeAnyRead() async throws {
    let (caller, callee) = try await pair(depth: 12)
    try await closing(caller, callee) {
      let pipeline = try await caller.appendEntriesPipeline(id: "omega", target: callee.localAddress)
      var futures: [AppendFuture] = []
      for number in 1...10 as ClosedRange<UInt64> {
        futures.append(try await pipeline.appendEntries(numbered(number)))
      }
      let echo = EchoConsumer(callee)
      let consumer = pipeline.consumer.makeAsyncIterator()
      for future in futures {
        #expect(await consumer.next() === future)
        #expect(try await future.response == EchoConsumer.response(to: future.request))
      }
      await pipeline.close()
      #expect(await consumer.next() == nil)
      await echo.stop()
    }
  }

  @Test("A task that waits for room can be cancelled; its request is on its way all the same")
  func cancelledWaitForRoom() async throws {
    let (caller, callee) = try await pair(depth: 2)
    try await closing(caller, callee) {
      let pipeline = try await caller.appendEntriesPipeline(id: "omega", target: callee.localAddress)
      let first = try await pipeline.appendEntries(numbered(1))
      let waiting = Task { try await pipeline.appendEntries(numbered(2)) }
      let received = [try await callee.nextAppend(), try await callee.nextAppend()]
      waiting.cancel()
      let second = try await waiting.value
      for request in received { request.responder.succeed(EchoConsumer.response(to: request.request)) }
      let consumer = pipeline.consumer.makeAsyncIterator()
      #expect(await consumer.next() === first)
      #expect(await consumer.next() === second)
      #expect(try await second.response.lastLog == 3)
      await pipeline.close()
    }
  }
}
