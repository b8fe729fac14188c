import NIOCore
import RaftTransport
import RaftWire
import Testing

/// What servers of hashicorp/raft answered, answered to our dialler, which has to send what their clients sent.
@Suite(.serialized) struct ReplayToDiallerTests {
  private static let splits = [[1 << 20], [1], [2, 3, 500, 7]]

  @Test(
    "our dialler sends a recorded server the recorded bytes, and takes its answers however they are split",
    arguments: RecordingFile.all, [0, 1, 2])
  func recordedServers(file: RecordingFile, split: Int) async throws {
    for conversation in try file.conversations() {
      for exchanges in conversation.connections where !exchanges.isEmpty {
        try await replay(exchanges, of: conversation.name, file.client, Self.splits[split])
      }
    }
  }

  private func replay(
    _ exchanges: [RecordedExchange], of name: String, _ profile: WireProfile, _ sizes: [Int]
  ) async throws {
    let listener = try await RawListener.start()
    let server = RecordedServer(exchanges, name: name, sizes: sizes)
    let serving = Task { await server.serve(listener) }
    let transport = try await listen("client", .classicOnly) {
      $0.wireProfile = profile
      $0.maxRPCsInFlight = 130
    }
    try await closing(transport) {
      if name.contains("pipeline") {
        try await callInPipeline(exchanges, at: listener.address, transport)
      } else {
        for exchange in exchanges { try await call(exchange, at: listener.address, transport, name) }
      }
    }
    await listener.close()
    await serving.value
    #expect(await server.missing == 0, "\(name)")
  }

  private func call(
    _ exchange: RecordedExchange, at address: ServerAddress, _ transport: MuxTransport, _ name: String
  ) async throws {
    switch exchange.command {
    case .appendEntries(let request):
      try await check(exchange, name) {
        try await transport.appendEntries(id: "server", target: address, request)
      }
    case .requestVote(let request):
      try await check(exchange, name) {
        try await transport.requestVote(id: "server", target: address, request)
      }
    case .timeoutNow(let request):
      try await check(exchange, name) {
        try await transport.timeoutNow(id: "server", target: address, request)
      }
    case .installSnapshot(let request):
      try await check(exchange, name) {
        try await transport.installSnapshot(
          id: "server", target: address, request, data: SnapshotSource(exchange.body))
      }
    case .requestPreVote(let request):
      guard exchange.answered != nil else {
        // The recorded server closed, since it knew no pre-votes.
        let error = try await failure("a pre-vote to \(name)") {
          try await transport.requestPreVote(id: "server", target: address, request)
        }
        #expect(error.remote?.text == "unexpected command")
        return
      }
      try await check(exchange, name) {
        try await transport.requestPreVote(id: "server", target: address, request)
      }
    }
  }

  private func check<Response: WireResponse>(
    _ exchange: RecordedExchange, _ name: String, _ call: () async throws -> Response
  ) async throws {
    let expected = try exchange.answer(Response.self)
    do {
      let response = try await call()
      #expect(expected.error == nil, "\(name)")
      #expect(response == expected.response ?? .blank, "\(name)")
    } catch let error as TransportError where error.remote != nil {
      #expect(error.remote?.bytes == expected.error, "\(name)")
    }
  }

  private func callInPipeline(
    _ exchanges: [RecordedExchange], at address: ServerAddress, _ transport: MuxTransport
  ) async throws {
    let pipeline = try await transport.appendEntriesPipeline(id: "server", target: address)
    for exchange in exchanges {
      guard case .appendEntries(let request) = exchange.command else { continue }
      _ = try await pipeline.appendEntries(request)
    }
    let answers = pipeline.consumer.makeAsyncIterator()
    for exchange in exchanges {
      let future = try #require(await answers.next())
      let expected = try exchange.answer(AppendEntriesResponse.self)
      #expect(try await future.response == expected.response)
    }
    await pipeline.close()
  }
}
