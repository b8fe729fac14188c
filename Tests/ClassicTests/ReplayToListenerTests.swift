import NIOCore
import RaftTransport
import RaftWire
import Testing

/// What clients of hashicorp/raft sent, sent to our listener, whose consumer answers what their servers answered.
@Suite(.serialized) struct ReplayToListenerTests {
  /// Sizes of the pieces in which the bytes are sent.
  private static let splits = [[1 << 20], [1], [2, 3, 500, 7], [4_096]]

  // R-CLS-4, R-CLS-19
  @Test(
    "a recorded client gets the recorded bytes from our listener, however its own are split",
    arguments: RecordingFile.all, [0, 1, 2, 3])
  func recordedClients(file: RecordingFile, split: Int) async throws {
    let transport = try await listen("server", split == 0 ? .preferRMUX : .classicOnly) {
      $0.wireProfile = file.server
    }
    try await closing(transport) {
      for conversation in try file.conversations() {
        for exchanges in conversation.connections where !exchanges.isEmpty {
          // A large entry byte by byte says nothing that a small one does not.
          let size = exchanges.reduce(0) { $0 + $1.sent.readableBytes }
          guard split != 1 || size < 5_000 else { continue }
          try await replay(exchanges, of: conversation.name, to: transport, Self.splits[split], file.server)
        }
      }
    }
  }

  private func replay(
    _ exchanges: [RecordedExchange], of name: String, to transport: MuxTransport, _ sizes: [Int],
    _ profile: WireProfile
  ) async throws {
    let client = try await RawSocket.connect(to: transport.localAddress)
    // All at once, as a pipeline does it: the answers come one by one all the same.
    var all = ByteBuffer()
    for exchange in exchanges { all.writeImmutableBuffer(exchange.sent) }
    async let sending: Void = client.send(all, inPiecesOf: sizes)
    for exchange in exchanges {
      let rpc = try await transport.nextRPC()
      #expect(rpc.origin.peerProtocol == .classic)
      let expected = try await answer(rpc, as: exchange, of: name, profile)
      let received = await client.next(expected.readableBytes)
      #expect(received == expected, "\(name)")
    }
    await sending
    await client.finish()
    let rest = await client.remaining()
    #expect(rest.readableBytes == 0, "\(name)")
  }

  /// Gives the recorded answer, and returns the bytes that have to come of it.
  private func answer(
    _ rpc: IncomingRPC, as exchange: RecordedExchange, of name: String, _ profile: WireProfile
  ) async throws -> ByteBuffer {
    switch (rpc.command, exchange.command) {
    case (.appendEntries(let request, let responder), .appendEntries(let sent)):
      #expect(request == sent, "\(name)")
      return try answer(exchange, responder, profile)
    case (.requestVote(let request, let responder), .requestVote(let sent)):
      #expect(request == sent, "\(name)")
      return try answer(exchange, responder, profile)
    case (.timeoutNow(let request, let responder), .timeoutNow(let sent)):
      #expect(request == sent, "\(name)")
      return try answer(exchange, responder, profile)
    case (.installSnapshot(let request, let body, let responder), .installSnapshot(let sent)):
      #expect(request == sent, "\(name)")
      let bytes = try await body.collect(upTo: 1 << 24)
      #expect(bytes == exchange.body, "\(name)")
      return try answer(exchange, responder, profile)
    case (.requestPreVote(let request, let responder), .requestPreVote(let sent)):
      #expect(request == sent, "\(name)")
      guard exchange.answered != nil else {
        // The recorded server, which knew no pre-votes, closed; ours stands in for it and says so.
        responder.fail("unexpected command")
        return ByteBuffer(bytes: [0xB2] + Array("unexpected command".utf8) + [0xC0])
      }
      return try answer(exchange, responder, profile)
    default:
      throw NeverHappened(description: "\(exchange.command.rpcType) in \(name)")
    }
  }

  private func answer<Response: WireResponse>(
    _ exchange: RecordedExchange, _ responder: Responder<Response>, _ profile: WireProfile
  ) throws -> ByteBuffer {
    let answer = try exchange.answer(Response.self)
    let expected = try #require(exchange.answered)
    switch (answer.error, answer.response) {
    case (let error?, let response):
      responder.fail(error, response: response)
    case (nil, let response?):
      responder.succeed(response)
    case (nil, nil):
      // A handler here always gives a response; Go's may give none. The client gets zeros instead.
      responder.succeed(.blank)
      return try bytes(answering: Response.blank, profile)
    }
    return expected
  }
}
