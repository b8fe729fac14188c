import NIOCore
import RaftTransport
import RaftWire
import Testing

/// How connections of old peers are served, seen from such a peer.
@Suite struct ServingTests {
  private static let vote = RequestVoteRequest(term: 7, lastLogIndex: 41, lastLogTerm: 6)

  // R-CLS-2
  @Test("the next request of a connection is handled when the last one was answered")
  func oneAtATime() async throws {
    let transport = try await listen("server")
    try await closing(transport) {
      let client = try await RawSocket.connect(to: transport.localAddress)
      var both = try bytes(of: numbered(1))
      both.writeImmutableBuffer(try bytes(of: numbered(2)))
      await client.send(both)
      let first = try await transport.nextRPC()
      // Another connection is served meanwhile; that its request comes shows that the second one does not.
      let other = try await RawSocket.connect(to: transport.localAddress)
      await other.send(try bytes(of: numbered(3)))
      let third = try await transport.nextRPC()
      guard case .appendEntries(let early, let earlyResponder) = first.command,
        case .appendEntries(let between, let betweenResponder) = third.command
      else { throw NeverHappened(description: "two appends") }
      #expect(early == numbered(1))
      #expect(between == numbered(3))
      betweenResponder.succeed(AppendEntriesResponse(term: 3))
      let answer = try bytes(answering: AppendEntriesResponse(term: 3))
      #expect(await other.next(answer.readableBytes) == answer)
      earlyResponder.succeed(AppendEntriesResponse(term: 1))
      guard case .appendEntries(let late, let lateResponder) = try await transport.nextRPC().command else {
        throw NeverHappened(description: "the second append")
      }
      #expect(late == numbered(2))
      lateResponder.succeed(AppendEntriesResponse(term: 2))
      var answers = try bytes(answering: AppendEntriesResponse(term: 1))
      answers.writeImmutableBuffer(try bytes(answering: AppendEntriesResponse(term: 2)))
      #expect(await client.next(answers.readableBytes) == answers)
      await client.close()
      await other.close()
    }
  }

  // R-CLS-5
  @Test("a heartbeat passes a consumer that reads nothing")
  func heartbeats() async throws {
    let transport = try await listen("server")
    try await closing(transport) {
      transport.setHeartbeatHandler { rpc in
        guard case .appendEntries(let request, let responder) = rpc.command else { return }
        #expect(rpc.origin.peerProtocol == .classic)
        responder.succeed(AppendEntriesResponse(term: request.term, success: true))
      }
      let blocked = try await RawSocket.connect(to: transport.localAddress)
      await blocked.send(try bytes(of: numbered(1)))
      let leader = try await RawSocket.connect(to: transport.localAddress)
      await leader.send(
        try bytes(of: AppendEntriesRequest(term: 9, leader: ByteBuffer(string: "a"), entries: nil)))
      let answer = try bytes(answering: AppendEntriesResponse(term: 9, success: true))
      #expect(await leader.next(answer.readableBytes) == answer)
      await blocked.close()
      await leader.close()
    }
  }

  // R-CLS-6
  @Test(
    "what cannot be read ends the connection without a byte",
    arguments: [
      [0x05], [0x04, 0xC1], [0x00, 0xC1], [0x00, 0x81, 0xA4], [0x01, 0x93, 0x01],
      [0x02, 0xDF, 0xFF, 0xFF, 0xFF, 0xFF],
      [0x03, 0x81, 0xC0, 0x01], [0x00, 0xDD, 0xFF, 0xFF, 0xFF, 0xFF],
      [0x00, 0x81, 0xA7, 0x45, 0x6E, 0x74, 0x72, 0x69, 0x65, 0x73, 0xDD, 0xFF, 0xFF, 0xFF, 0xFF],
    ] as [[UInt8]])
  func malformed(input: [UInt8]) async throws {
    let transport = try await listen("server", .classicOnly)
    try await closing(transport) {
      let client = try await RawSocket.connect(to: transport.localAddress)
      await client.send(input)
      await client.finish()
      #expect(await client.remaining().readableBytes == 0)
      #expect(try await serves(transport))
    }
  }

  // R-CLS-6
  @Test("requests in front of one that cannot be read are answered first")
  func answeredBeforeTheEnd() async throws {
    let transport = try await listen("server")
    try await closing(transport) {
      let client = try await RawSocket.connect(to: transport.localAddress)
      var both = try bytes(of: numbered(1))
      both.writeBytes([0x09, 0x80])
      await client.send(both)
      guard case .appendEntries(_, let responder) = try await transport.nextRPC().command else {
        throw NeverHappened(description: "an append")
      }
      responder.succeed(AppendEntriesResponse(term: 1))
      #expect(await client.remaining() == (try bytes(answering: AppendEntriesResponse(term: 1))))
    }
  }

  @Test("the least requests are requests", arguments: [[0x00, 0xC0], [0x00, 0x80]] as [[UInt8]])
  func leastRequests(input: [UInt8]) async throws {
    let transport = try await listen("server")
    try await closing(transport) {
      let client = try await RawSocket.connect(to: transport.localAddress)
      await client.send(input)
      let rpc = try await transport.nextRPC()
      guard case .appendEntries(let request, _) = rpc.command else {
        throw NeverHappened(description: "an append")
      }
      #expect(request == AppendEntriesRequest())
      rpc.fail("no")
      #expect(await client.next(4) == ByteBuffer(bytes: [0xA2, 0x6E, 0x6F, 0xC0]))
      await client.close()
    }
  }

  // R-CLS-7
  @Test("a client that half-closes behind its request gets its answer")
  func halfClose() async throws {
    let transport = try await listen("server")
    try await closing(transport) {
      let client = try await RawSocket.connect(to: transport.localAddress)
      await client.send(try bytes(of: Self.vote))
      await client.finish()
      guard case .requestVote(_, let responder) = try await transport.nextRPC().command else {
        throw NeverHappened(description: "a vote")
      }
      responder.succeed(RequestVoteResponse(term: 7, granted: true))
      #expect(await client.remaining() == (try bytes(answering: RequestVoteResponse(term: 7, granted: true))))
    }
  }

  // R-CLS-8
  @Test(
    "a handler that answers a snapshot early is heard when the whole body has come, and the connection goes on"
  )
  func earlyAnswer() async throws {
    let transport = try await listen("server")
    try await closing(transport) {
      let client = try await RawSocket.connect(to: transport.localAddress)
      let size = 3 << 20
      var request = try bytes(of: InstallSnapshotRequest(term: 7, size: Int64(size)))
      request.writeRepeatingByte(7, count: 1_000)
      await client.send(request)
      guard case .installSnapshot(_, let body, let responder) = try await transport.nextRPC().command else {
        throw NeverHappened(description: "a snapshot")
      }
      responder.fail("not now")
      var rest = ByteBuffer(repeating: 7, count: size - 1_000)
      rest.writeImmutableBuffer(try bytes(of: Self.vote))
      await client.send(rest)
      var expected = ByteBuffer(bytes: [0xA7] + Array("not now".utf8) + [0xC0])
      #expect(await client.next(expected.readableBytes) == expected)
      guard case .requestVote(let vote, let voter) = try await transport.nextRPC().command else {
        throw NeverHappened(description: "a vote")
      }
      #expect(vote == Self.vote)
      voter.succeed(RequestVoteResponse(term: 8))
      expected = try bytes(answering: RequestVoteResponse(term: 8))
      #expect(await client.next(expected.readableBytes) == expected)
      // Nobody may take what was read of it for a snapshot.
      await #expect(throws: TransportError.self) { for try await _ in body {} }
      await client.close()
    }
  }

  // R-CLS-13
  @Test("a snapshot whose sender ends too early is no snapshot", arguments: [true, false])
  func cutSnapshot(halfCloses: Bool) async throws {
    let transport = try await listen("server")
    try await closing(transport) {
      let client = try await RawSocket.connect(to: transport.localAddress)
      var request = try bytes(of: InstallSnapshotRequest(term: 7, size: 100))
      request.writeRepeatingByte(7, count: 99)
      await client.send(request)
      if halfCloses { await client.finish() } else { await client.close() }
      guard case .installSnapshot(_, let body, let responder) = try await transport.nextRPC().command else {
        throw NeverHappened(description: "a snapshot")
      }
      let error = try await failure("reading") { try await body.collect(upTo: 1_000) }
      #expect(error.code == .snapshotCut)
      responder.fail("cut")
      if halfCloses {
        #expect(await client.remaining() == ByteBuffer(bytes: [0xA3] + Array("cut".utf8) + [0xC0]))
      }
    }
  }

  // R-CLS-9
  @Test("a snapshot that nobody reads for a while comes whole when somebody does")
  func lateReader() async throws {
    let transport = try await listen("server")
    try await closing(transport) {
      let client = try await RawSocket.connect(to: transport.localAddress)
      let size = 64 << 20
      await client.send(try bytes(of: InstallSnapshotRequest(term: 7, size: Int64(size))))
      let piece = ByteBuffer(repeating: 7, count: 1 << 20)
      let sending = Task { for _ in 0..<64 { await client.send(piece) } }
      guard case .installSnapshot(_, let body, let responder) = try await transport.nextRPC().command else {
        throw NeverHappened(description: "a snapshot")
      }
      try await eventually("the window is full") {
        try #require(await transport.classicConnections().first).bytesReceived >= 512 << 10
      }
      var count = 0
      for try await bytes in body { count += bytes.readableBytes }
      #expect(count == size)
      responder.succeed(InstallSnapshotResponse(success: true))
      let answer = try bytes(answering: InstallSnapshotResponse(success: true))
      #expect(await client.next(answer.readableBytes) == answer)
      await sending.value
      await client.close()
    }
  }

  // R-CLS-10, R-CLS-12
  @Test("a peer that stops inside a request is closed after a while, and one between requests is not")
  func stall() async throws {
    let transport = try await listen("server") { $0.oldPeers.stall = .milliseconds(200) }
    try await closing(transport) {
      let idle = try await RawSocket.connect(to: transport.localAddress)
      await idle.send(try bytes(of: Self.vote))
      try await transport.nextRPC().fail("no")
      #expect(await idle.next(4).readableBytes == 4)
      let stuck = try await RawSocket.connect(to: transport.localAddress)
      await stuck.send([0x00, 0x87])
      #expect(await stuck.remaining().readableBytes == 0)
      // The other one has been silent for longer, and is served.
      await idle.send(try bytes(of: Self.vote))
      try await transport.nextRPC().fail("no")
      #expect(await idle.next(4).readableBytes == 4)
      await idle.close()
    }
  }

  // R-CLS-10
  @Test("more connections than are allowed are closed, and a place that becomes free is used")
  func connectionLimit() async throws {
    let transport = try await listen("server") { $0.oldPeers.maximumConnections = 2 }
    try await closing(transport) {
      let vote = try bytes(of: Self.vote)
      var clients: [RawSocket] = []
      for _ in 0..<2 {
        let client = try await RawSocket.connect(to: transport.localAddress)
        await client.send(vote)
        try await transport.nextRPC().fail("no")
        #expect(await client.next(4).readableBytes == 4)
        clients.append(client)
      }
      let refused = try await RawSocket.connect(to: transport.localAddress)
      await refused.send(vote)
      #expect(await refused.remaining().readableBytes == 0)
      await clients[0].close()
      try await eventually("a place is free") { await transport.classicConnections().count == 1 }
      let late = try await RawSocket.connect(to: transport.localAddress)
      await late.send(vote)
      try await transport.nextRPC().fail("no")
      #expect(await late.next(4).readableBytes == 4)
      await late.close()
      await clients[1].close()
    }
  }

  // R-CLS-10
  @Test("one address has half of the connections, and the others are for other addresses")
  func connectionsPerAddress() async throws {
    let transport = try await listen("server") { $0.oldPeers.maximumConnections = 32 }
    try await closing(transport) {
      let vote = try bytes(of: Self.vote)
      var clients: [RawSocket] = []
      for source in Array(repeating: "127.0.0.1", count: 16) + ["refused", "127.0.0.2"] {
        let isRefused = source == "refused"
        let client = try await RawSocket.connect(
          to: transport.localAddress, from: isRefused ? "127.0.0.1" : source)
        await client.send(vote)
        if !isRefused { try await transport.nextRPC().fail("no") }
        #expect(await client.next(4).readableBytes == (isRefused ? 0 : 4), "\(source)")
        clients.append(client)
      }
      for client in clients { await client.close() }
    }
  }

  // R-CLS-11
  @Test("after the streams were closed a connection answers one more request and ends")
  func closeStreams() async throws {
    let transport = try await listen("server")
    try await closing(transport) {
      let client = try await RawSocket.connect(to: transport.localAddress)
      let vote = try bytes(of: Self.vote)
      await client.send(vote)
      try await transport.nextRPC().fail("no")
      #expect(await client.next(4).readableBytes == 4)
      await transport.closeStreams()
      await client.send(vote)
      try await transport.nextRPC().fail("no")
      #expect(await client.remaining().readableBytes == 4)
      #expect(try await serves(transport), "new connections are served")
    }
  }

  @Test("closing ends connections in every state")
  func close() async throws {
    let transport = try await listen("server")
    let silent = try await RawSocket.connect(to: transport.localAddress)
    let inside = try await RawSocket.connect(to: transport.localAddress)
    await inside.send([0x00, 0x87])
    let handled = try await RawSocket.connect(to: transport.localAddress)
    await handled.send(try bytes(of: Self.vote))
    let rpc = try await transport.nextRPC()
    let body = try await RawSocket.connect(to: transport.localAddress)
    await body.send(try bytes(of: InstallSnapshotRequest(term: 7, size: 100)))
    let snapshot = try await transport.nextRPC()
    await transport.close()
    for client in [silent, inside, handled, body] { #expect(await client.remaining().readableBytes == 0) }
    rpc.fail("too late")
    guard case .installSnapshot(_, let reader, _) = snapshot.command else {
      throw NeverHappened(description: "a snapshot")
    }
    await #expect(throws: TransportError.self) { for try await _ in reader {} }
    #expect(await transport.classicConnections().isEmpty)
  }

  // R-CLS-9
  @Test("requests count as long as handlers have them, also when their connections are gone")
  func requestsOutliveConnections() async throws {
    let transport = try await listen("server", .classicOnly) { $0.oldPeers.receiveBudget = 1 << 20 }
    let large = AppendEntriesRequest(
      term: 5, entries: [LogEntry(index: 1, term: 5, data: ByteBuffer(repeating: 1, count: 700_000))])
    try await closing(transport) {
      var held: [IncomingRPC] = []
      for _ in 0..<2 {
        let client = try await RawSocket.connect(to: transport.localAddress)
        await client.send(try bytes(of: large))
        held.append(try await transport.nextRPC())
        try await client.reset()
      }
      try await eventually("they are gone") { await transport.statistics().connections.isEmpty }
      // There is no room for a third one; a vote has always room.
      let third = try await RawSocket.connect(to: transport.localAddress)
      async let sending: Void = third.send(try bytes(of: large))
      try await eventually("it is read from") {
        await transport.statistics().connections.contains { $0.bytesReceived > 1_024 }
      }
      let voter = try await RawSocket.connect(to: transport.localAddress)
      await voter.send(try bytes(of: Self.vote))
      let next = try await transport.nextRPC()
      guard case .requestVote = next.command else {
        throw NeverHappened(description: "the vote before what has no room")
      }
      next.fail("no")
      for rpc in held { rpc.fail("late") }
      try await transport.nextRPC().fail("no")
      try await sending
      await third.close()
      await voter.close()
    }
  }

  // R-CLS-3, R-CLS-25
  @Test(
    "the mode says who is served", arguments: [TransportConfiguration.ProtocolChoice.rmuxOnly, .classicOnly])
  func modes(choice: TransportConfiguration.ProtocolChoice) async throws {
    let transport = try await listen("server", choice)
    try await closing(transport) {
      let client = try await RawSocket.connect(to: transport.localAddress)
      // The other protocol: closed without a byte.
      await client.send(
        choice == .rmuxOnly ? [0x00, 0x80] : [0xAC, 0x52, 0x4D, 0x58, 0x0D, 0x0A, 0x1A, 0x0A])
      #expect(await client.remaining().readableBytes == 0)
    }
  }

  /// Whether a new connection is served.
  private func serves(_ transport: MuxTransport) async throws -> Bool {
    let client = try await RawSocket.connect(to: transport.localAddress)
    await client.send(try bytes(of: Self.vote))
    try await transport.nextRPC().fail("no")
    let answer = await client.next(4)
    await client.close()
    return answer.readableBytes == 4
  }
}
