import NIOCore
import RaftTransport
import RaftWire
import Testing

/// How old peers are called: connections, deadlines, errors.
@Suite struct CallingTests {
  private static let vote = RequestVoteRequest(term: 7)

  private func answer(_ socket: RawSocket) async throws {
    let request = try bytes(of: Self.vote)
    #expect(await socket.next(request.readableBytes) == request)
    await socket.send(try bytes(answering: RequestVoteResponse(term: 7, granted: true)))
  }

  private func call(_ caller: MuxTransport, _ peer: RawListener) async throws -> RequestVoteResponse {
    try await caller.requestVote(id: "peer", target: peer.address, Self.vote)
  }

  // R-CLS-14
  @Test(
    "calls one after the other share a connection; calls at once have one each, of which so many are kept")
  func pool() async throws {
    let peer = try await RawListener.start()
    let caller = try await listen("caller", .classicOnly) { $0.oldPeers.maximumIdleConnections = 2 }
    try await closing(caller) {
      async let first = call(caller, peer)
      let socket = try await peer.next()
      try await answer(socket)
      #expect(try await first.granted)
      async let second = call(caller, peer)
      try await answer(socket)
      #expect(try await second.granted)

      try await withThrowingTaskGroup { group in
        for _ in 0..<4 { group.addTask { try await call(caller, peer).granted } }
        var sockets = [socket]
        for _ in 0..<3 { sockets.append(try await peer.next()) }
        for socket in sockets { try await answer(socket) }
        for try await granted in group { #expect(granted) }
      }
      try await eventually("the surplus is closed") { await caller.classicConnections().count == 2 }
    }
    await peer.close()
  }

  // R-CLS-14
  @Test("an error answer keeps the connection")
  func errorAnswerKeeps() async throws {
    let peer = try await RawListener.start()
    let caller = try await listen("caller", .classicOnly)
    try await closing(caller) {
      async let first = call(caller, peer)
      let socket = try await peer.next()
      _ = await socket.next(try bytes(of: Self.vote).readableBytes)
      await socket.send([0xA2, 0x6E, 0x6F, 0xC0])
      do {
        _ = try await first
        Issue.record("an error was due")
      } catch let error as TransportError {
        #expect(error.remote?.text == "no")
        #expect(error.delivery == .answered)
      }
      async let second = call(caller, peer)
      try await answer(socket)
      #expect(try await second.granted)
    }
    await peer.close()
  }

  // R-CLS-14
  @Test(
    "whatever is wrong with an answer ends the connection, and the next call dials",
    arguments: [
      ([0xA0, 0xC1], TransportError.Code.malformedResponse), ([0xA0, 0x80, 0x00], nil),
      ([0xC1], .malformedResponse),
      ([], .connectionLost), ([0xA0], .connectionLost),
    ] as [([UInt8], TransportError.Code?)])
  func brokenAnswers(bytes: [UInt8], code: TransportError.Code?) async throws {
    let peer = try await RawListener.start()
    let caller = try await listen("caller", .classicOnly)
    try await closing(caller) {
      async let first = call(caller, peer)
      let socket = try await peer.next()
      _ = await socket.next()
      await socket.send(bytes)
      if code == .connectionLost { await socket.close() }
      do {
        _ = try await first
        #expect(code == nil)
      } catch let error as TransportError {
        #expect(error.code == code)
        #expect(error.delivery == (code == .connectionLost ? .unknown : .answered))
      }
      #expect(await socket.remaining().readableBytes == 0)
      async let second = call(caller, peer)
      try await answer(try await peer.next())
      #expect(try await second.granted)
    }
    await peer.close()
  }

  @Test("an idle connection that its peer closes is not used again")
  func idleConnectionEnds() async throws {
    let peer = try await RawListener.start()
    let caller = try await listen("caller", .classicOnly)
    try await closing(caller) {
      async let first = call(caller, peer)
      let socket = try await peer.next()
      try await answer(socket)
      #expect(try await first.granted)
      await socket.close()
      try await eventually("the connection is gone") { await caller.classicConnections().isEmpty }
      async let second = call(caller, peer)
      try await answer(try await peer.next())
      #expect(try await second.granted)
    }
    await peer.close()
  }

  @Test("a call whose time is up ends its connection, and so does one whose task is cancelled")
  func timeAndCancellation() async throws {
    let peer = try await RawListener.start()
    // The time holds the dialling, too.
    let caller = try await listen("caller", .classicOnly) { $0.timeout = .seconds(2) }
    try await closing(caller) {
      let error = try await failure("a call without an answer") { try await call(caller, peer) }
      #expect(error.code == .timeout)
      #expect(error.delivery == .unknown)
      _ = await (try await peer.next()).remaining()
    }
    let patient = try await listen("patient", .classicOnly)
    try await closing(patient) {
      let task = Task { try await call(patient, peer) }
      let socket = try await peer.next()
      _ = await socket.next()
      task.cancel()
      let error = try await failure("a cancelled call") { try await task.value }
      #expect(error.code == .cancelled)
      #expect(error.delivery == .unknown)
      _ = await socket.remaining()
    }
    await peer.close()
  }

  @Test("more calls than are allowed at once are refused")
  func callLimit() async throws {
    let peer = try await RawListener.start()
    let caller = try await listen("caller", .classicOnly) { $0.oldPeers.maximumCalls = 1 }
    try await closing(caller) {
      async let first = call(caller, peer)
      let socket = try await peer.next()
      _ = await socket.next()
      let error = try await failure("one call too many") { try await call(caller, peer) }
      #expect(error.code == .tooManyCalls)
      #expect(error.delivery == .notDelivered)
      await socket.send(try bytes(answering: RequestVoteResponse(granted: true)))
      #expect(try await first.granted)
    }
    await peer.close()
  }

  // R-CLS-16
  @Test("the last byte of a snapshot whose source fails is never sent", arguments: [true, false])
  func failingSource(goesOn: Bool) async throws {
    let peer = try await RawListener.start()
    let caller = try await listen("caller", .classicOnly)
    try await closing(caller) {
      let pieces = AsyncStream<ByteBuffer> { continuation in
        continuation.yield(ByteBuffer(repeating: 1, count: 50))
        continuation.yield(ByteBuffer(repeating: 2, count: goesOn ? 50 : 40))
        if goesOn { continuation.yield(ByteBuffer(repeating: 3, count: 1)) }
        continuation.finish()
      }
      let request = InstallSnapshotRequest(term: 7, size: 100)
      async let call = caller.installSnapshot(
        id: "peer", target: peer.address, request, data: SnapshotSource(pieces))
      let received = await (try await peer.next()).remaining()
      #expect(received.readableBytes < (try bytes(of: request)).readableBytes + 100)
      do {
        _ = try await call
        Issue.record("the source did not give what was announced")
      } catch let error as TransportError {
        #expect(error.code == .snapshotSource)
      }
    }
    await peer.close()
  }

  @Test("an early answer to a snapshot ends it, and its connection is not used again")
  func earlyAnswer() async throws {
    let peer = try await RawListener.start()
    let caller = try await listen("caller", .classicOnly)
    try await closing(caller) {
      let (pieces, source) = AsyncStream<ByteBuffer>.makeStream()
      source.yield(ByteBuffer(repeating: 1, count: 10))
      async let call = caller.installSnapshot(
        id: "peer", target: peer.address, InstallSnapshotRequest(term: 7, size: 100),
        data: SnapshotSource(pieces))
      let socket = try await peer.next()
      _ = await socket.next()
      await socket.send([0xA2, 0x6E, 0x6F, 0xC0])
      do {
        _ = try await call
        Issue.record("an error was due")
      } catch let error as TransportError {
        #expect(error.remote?.text == "no")
      }
      _ = await socket.remaining()
      source.finish()
    }
    await peer.close()
  }

  // R-CLS-15
  @Test("a pipeline writes as many requests as it is deep, and reads on only as its consumer does")
  func pipelineDepth() async throws {
    let peer = try await RawListener.start()
    let caller = try await listen("caller", .classicOnly) { $0.maxRPCsInFlight = 4 }
    try await closing(caller) {
      let pipeline = try await caller.appendEntriesPipeline(id: "peer", target: peer.address)
      let socket = try await peer.next()
      let sending = Task {
        for number in 1...8 { _ = try await pipeline.appendEntries(numbered(UInt64(number))) }
      }
      // The fourth is written, and its sender waits.
      let length = try bytes(of: numbered(1)).readableBytes
      let first = await socket.next(4 * length)
      #expect(first.readableBytes == 4 * length)
      var taken = 0
      let answers = pipeline.consumer.makeAsyncIterator()
      for number in 1...8 {
        if number > 4 { _ = await socket.next(length) }
        await socket.send(try bytes(answering: AppendEntriesResponse(lastLog: UInt64(number))))
        #expect(try await answers.next()?.response.lastLog == UInt64(number))
        taken += 1
      }
      try await sending.value
      #expect(taken == 8)
      await pipeline.close()
      #expect(await socket.remaining().readableBytes == 0)
    }
    await peer.close()
  }

  @Test("a pipeline whose connection ends fails what was not answered, in order")
  func pipelineEnds() async throws {
    let peer = try await RawListener.start()
    let caller = try await listen("caller", .classicOnly) { $0.maxRPCsInFlight = 8 }
    try await closing(caller) {
      let pipeline = try await caller.appendEntriesPipeline(id: "peer", target: peer.address)
      for number in 1...3 { _ = try await pipeline.appendEntries(numbered(UInt64(number))) }
      let socket = try await peer.next()
      await socket.send(try bytes(answering: AppendEntriesResponse(lastLog: 1)))
      await socket.close()
      var codes: [TransportError.Code?] = []
      for await future in pipeline.consumer {
        do {
          _ = try await future.response
          codes.append(nil)
        } catch let error as TransportError {
          codes.append(error.code)
        }
      }
      #expect(codes == [nil, .connectionLost, .connectionLost])
      let error = try await failure("a request behind the end") {
        try await pipeline.appendEntries(numbered(4))
      }
      #expect(error.delivery == .notDelivered)
    }
    await peer.close()
  }

  // R-CLS-17
  // R-CLS-17
  @Test("closing the streams closes idle connections, and lets calls end, those of pipelines too")
  func closeStreams() async throws {
    let peer = try await RawListener.start()
    let caller = try await listen("caller", .classicOnly) { $0.maxRPCsInFlight = 8 }
    try await closing(caller) {
      let pipeline = try await caller.appendEntriesPipeline(id: "peer", target: peer.address)
      let pipelined = try await peer.next()
      let sent = try await pipeline.appendEntries(numbered(1))
      let expected = try bytes(of: numbered(1))
      #expect(await pipelined.next(expected.readableBytes) == expected)
      async let busy = call(caller, peer)
      let under = try await peer.next()
      let request = await under.next()
      #expect(request == (try bytes(of: Self.vote)))
      await caller.closeStreams()
      await pipelined.send(try bytes(answering: AppendEntriesResponse(lastLog: 2, success: true)))
      #expect(try await sent.response.lastLog == 2)
      #expect(await pipelined.remaining().readableBytes == 0)
      await under.send(try bytes(answering: RequestVoteResponse(granted: true)))
      #expect(try await busy.granted)
      #expect(await under.remaining().readableBytes == 0)
      let error = try await failure("a request on a closed pipeline") {
        try await pipeline.appendEntries(numbered(1))
      }
      #expect(error.code == .pipelineClosed)
      async let next = call(caller, peer)
      try await answer(try await peer.next())
      #expect(try await next.granted)
    }
    await peer.close()
  }
}
