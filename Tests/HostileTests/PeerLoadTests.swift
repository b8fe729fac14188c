import NIOCore
import NIOEmbedded
import RaftTransportTesting
import RaftWire
import StreamMux
import Testing

@testable import RaftTransport

@Suite("Handlers that work for one peer", .timeLimit(.minutes(2)))
struct PeerLoadTests {
  // R-LIM-11
  @Test("Connections that were lost count as long as their handlers run, and votes pass what has to wait")
  func overConnections() async throws {
    let server = try await listen("b") { $0.limits.handlersPerPeer = 4 }
    try await closing(server) {
      var held: [Responder<AppendEntriesResponse>] = []
      let first = try await RawPeer.established(to: server.localAddress, incarnation: 1)
      for index: UInt64 in 0..<4 {
        await first.open(1 + 2 * index, .append, try bytes(of: numbered(index)))
        held.append(try await server.nextAppend().responder)
      }
      await first.close()
      try await eventually("the connection is gone") { await server.statistics().connections.isEmpty }

      // Its handlers have not ended: the next one's requests wait, and FIN behind one does not make it a bad one.
      let second = try await RawPeer.established(to: server.localAddress, incarnation: 2)
      for index: UInt64 in 0..<3 {
        await second.open(1 + 2 * index, .append, try bytes(of: numbered(10 + index)), isLast: index == 0)
      }
      try await second.settle()
      // R-LIM-12: what is sent behind them comes first.
      await second.open(
        7, .election, try bytes(of: RequestVoteRequest(term: 1, lastLogIndex: 1, lastLogTerm: 1)))
      let vote = try await server.nextRPC()
      guard case .requestVote(_, let voter) = vote.command else { throw NeverHappened(description: "a vote") }
      voter.succeed(RequestVoteResponse(term: 1, granted: true))

      // Each handler that ends lets one in, and in the end all have their turn.
      for responder in held { responder.succeed(AppendEntriesResponse()) }
      var seen: Set<UInt64> = []
      for _ in 0..<3 {
        let (request, responder) = try await server.nextAppend()
        seen.insert(request.previousLogIndex)
        responder.succeed(AppendEntriesResponse(term: request.previousLogIndex))
      }
      #expect(seen == [10, 11, 12])
      for _ in 0..<3 { #expect(try await second.nextData() != nil) }
      await second.close()
    }
  }

  // R-LIM-11
  @Test("A stream that waits is held once, and no longer than it lives")
  func waitingStreams() {
    let load = PeerLoad(limit: 1)
    let link = Link(id: LinkID(rawValue: 1), eventLoop: EmbeddedEventLoop())
    load.begin(.append, weight: 1)
    let streams = (0..<3).map { PeerLoad.Waiting(link: link, stream: StreamKey(slot: $0, generation: 0)) }
    for stream in streams + streams {
      #expect(!load.hasRoom(for: .append, orTell: stream))
    }
    #expect(load.waitingCount == 3)
    for stream in streams { load.forget(stream, .append) }
    #expect(load.waitingCount == 0)
  }

  // R-LIM-15
  @Test("Requests are weighed by what they take of memory once they are decoded")
  func weights() async throws {
    let server = try await listen("b") { $0.limits.handlersPerPeer = 10 }
    try await closing(server) {
      let peer = try await RawPeer.established(to: server.localAddress)
      // An entry of nil is one byte on the wire.
      let heavy = AppendEntriesRequest(
        term: 1, previousLogIndex: 1, previousLogTerm: 1, entries: Array(repeating: nil, count: 1_000),
        leaderCommitIndex: 0)
      await peer.open(1, .append, try bytes(of: heavy))
      let (request, responder) = try await server.nextAppend()
      #expect(request.entries?.count == 1_000)
      await peer.open(3, .append, try bytes(of: numbered(2)))
      await peer.open(5, .election, try bytes(of: TimeoutNowRequest()))
      guard case .timeoutNow(_, let timeout) = try await server.nextRPC().command else {
        throw NeverHappened(description: "the lighter one first")
      }
      timeout.succeed(TimeoutNowResponse())
      responder.succeed(AppendEntriesResponse())
      #expect(try await server.nextAppend().request.previousLogIndex == 2)
      await peer.close()
    }
  }

  @Test("All connections of a peer share one load, which is forgotten with its last owner")
  func registry() {
    let loads = PeerLoads(limit: 3)
    do {
      let load = loads.load(of: "a")
      #expect(loads.load(of: "a") === load)
      #expect(loads.load(of: "b") !== load)
      withExtendedLifetime(load) { #expect(loads.count == 1) }
    }
    #expect(loads.count == 0)
  }

  @Test("A pipeline that is held back comes to its end in order, though hardly anything may run")
  func pipeline() async throws {
    let (sender, receiver) = (
      try await listen("a") { $0.maxRPCsInFlight = 32 },
      try await listen("b") { $0.limits.handlersPerPeer = 1 }
    )
    let echo = EchoConsumer(receiver)
    try await closing(sender, receiver) {
      let pipeline = try await sender.appendEntriesPipeline(id: "b", target: receiver.localAddress)
      var futures: [AppendFuture] = []
      let consumer = pipeline.consumer.makeAsyncIterator()
      for number: UInt64 in 1...200 {
        if futures.count >= 16 { _ = await consumer.next() }
        futures.append(try await pipeline.appendEntries(numbered(number)))
      }
      for (number, future) in zip((1 as UInt64)..., futures) {
        #expect(try await future.response.lastLog == number + 1)
      }
      await pipeline.close()
    }
    await echo.stop()
  }
}
