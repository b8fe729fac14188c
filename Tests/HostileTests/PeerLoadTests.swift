import NIOCore
import NIOEmbedded
import RaftTransportTesting
import RaftWire
import StreamMux
import Testing

@testable import RaftTransport

@Suite("Handlers that work for one peer", .timeLimit(.minutes(2)))
struct PeerLoadTests {
  private let link = Link(id: LinkID(rawValue: 1), eventLoop: EmbeddedEventLoop())

  private func waiting(_ slot: Int) -> PeerLoad.Waiting {
    PeerLoad.Waiting(link: link, stream: StreamKey(slot: UInt32(slot), generation: 0))
  }

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
    load.begin(.append, weight: 1)
    let streams = (0..<3).map(waiting)
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
    let loads = PeerLoads(limit: 3, claimedLimit: 3)
    do {
      let load = loads.load(of: .certificate("a"))
      #expect(loads.load(of: .certificate("a")) === load)
      #expect(loads.load(of: .certificate("b")) !== load)
      withExtendedLifetime(load) { #expect(loads.count == 1) }
    }
    #expect(loads.count == 0)
  }

  @Test("Who says that it is a server shares nothing with who proves it, or says so elsewhere")
  func keys() {
    let loads = PeerLoads(limit: 1, claimedLimit: 8)
    let keys = [
      PeerLoads.Key("a", .tls, source: "10.0.0.1"), PeerLoads.Key("a", .sharedKey, source: "10.0.0.1"),
      PeerLoads.Key("a", .none, source: "10.0.0.1"), PeerLoads.Key("a", .none, source: "10.0.0.2"),
    ]
    let peers = keys.map { loads.load(of: $0) }
    for (index, peer) in peers.enumerated() {
      #expect(peer.hasRoom(for: .append, orTell: waiting(index)), "\(keys[index])")
      peer.begin(.append, weight: 1)
    }
    // A certificate and a key hold wherever the peer is; a claim is one of its address.
    #expect(loads.load(of: PeerLoads.Key("a", .tls, source: "10.0.0.3")) === peers[0])
    #expect(loads.load(of: PeerLoads.Key("a", .sharedKey, source: "10.0.0.3")) === peers[1])
    #expect(loads.load(of: PeerLoads.Key("a", .none, source: "10.0.0.1")) === peers[2])
  }

  // R-LIM-16
  @Test("A stranger that claims the name of a peer leaves the peer its handlers")
  func claimedName() async throws {
    let server = try await listen("b") { $0.limits.handlersPerPeer = 4 }
    try await closing(server) {
      let stranger = try await RawPeer.established(to: server.localAddress, as: "a", from: "127.0.0.2")
      var held: [Responder<AppendEntriesResponse>] = []
      for index: UInt64 in 0..<4 {
        await stranger.open(1 + 2 * index, .append, try bytes(of: numbered(index)))
        held.append(try await server.nextAppend().responder)
      }
      await stranger.close()
      try await eventually("the stranger is gone") { await server.statistics().connections.isEmpty }
      let peer = try await RawPeer.established(to: server.localAddress, as: "a", incarnation: 2)
      await peer.open(1, .append, try bytes(of: numbered(9)))
      let (request, responder) = try await server.nextAppend()
      #expect(request == numbered(9))
      responder.succeed(AppendEntriesResponse(lastLog: 10))
      #expect(try await peer.nextData() != nil)
      for responder in held { responder.succeed(AppendEntriesResponse()) }
      await peer.close()
    }
  }

  // R-LIM-16
  @Test("However many names there are without proof, they have one bound, and those with proof have theirs")
  func manyNames() {
    let loads = PeerLoads(limit: 4, claimedLimit: 6)
    let strangers = (0..<5).map { loads.load(of: .claim(ServerID("stranger\($0)"), source: "10.0.0.1")) }
    var begun = 0
    for (index, stranger) in strangers.enumerated() {
      for request in 0..<4 where stranger.hasRoom(for: .append, orTell: waiting(10 * index + request)) {
        stranger.begin(.append, weight: 1)
        begun += 1
      }
    }
    #expect(begun == 6)
    #expect(strangers[4].hasRoom(for: .election, orTell: waiting(50)), "R-LIM-12")
    let member = loads.load(of: .sharedKey("member"))
    #expect(member.hasRoom(for: .append, orTell: waiting(60)))
    // When they are done everybody has room again, in the order in which they came.
    for _ in 0..<4 { strangers[0].end(.append, weight: 1) }
    #expect(strangers[1].hasRoom(for: .append, orTell: waiting(12)))
  }

  // R-LIM-11
  @Test("Who waits first goes first, and who comes later does not pass")
  func order() {
    let load = PeerLoad(limit: 8)
    for _ in 0..<8 { load.begin(.append, weight: 1) }
    #expect(!load.hasRoom(for: .append, orTell: waiting(1)))
    #expect(!load.hasRoom(for: .append, orTell: waiting(2)))
    load.end(.append, weight: 1)
    #expect(!load.hasRoom(for: .append, orTell: waiting(3)), "there is room, but others wait for it")
    #expect(!load.hasRoom(for: .append, orTell: waiting(2)))
    #expect(load.hasRoom(for: .append, orTell: waiting(1)))
    load.begin(.append, weight: 1)
    #expect(!load.hasRoom(for: .append, orTell: waiting(2)), "there is no room")
    // The first of those that wait goes away; the next one is the first then.
    load.forget(waiting(2), .append)
    load.end(.append, weight: 1)
    #expect(load.hasRoom(for: .append, orTell: waiting(3)))
    #expect(load.waitingCount == 0)
  }

  // R-LIM-11
  @Test("Of peers that share a bound each has its turn, however many streams of one of them wait")
  func turns() {
    let common = PeerLoad.Lanes(limit: 1)
    let (greedy, modest) = (PeerLoad(limit: 100, common: common), PeerLoad(limit: 100, common: common))
    greedy.begin(.append, weight: 1)
    for stream in 1...50 { #expect(!greedy.hasRoom(for: .append, orTell: waiting(stream))) }
    #expect(!modest.hasRoom(for: .append, orTell: waiting(100)))
    greedy.end(.append, weight: 1)
    #expect(greedy.hasRoom(for: .append, orTell: waiting(1)))
    greedy.begin(.append, weight: 1)
    #expect(!greedy.hasRoom(for: .append, orTell: waiting(2)))
    greedy.end(.append, weight: 1)
    #expect(!greedy.hasRoom(for: .append, orTell: waiting(2)))
    #expect(modest.hasRoom(for: .append, orTell: waiting(100)))
  }

  @Test("A stream that is ended while it waits does not keep those behind it waiting")
  func endedInLine() async throws {
    let server = try await listen("b") { $0.limits.handlersPerPeer = 1 }
    try await closing(server) {
      let peer = try await RawPeer.established(to: server.localAddress)
      await peer.open(1, .append, try bytes(of: numbered(1)))
      try await server.nextAppend().responder.succeed(AppendEntriesResponse())
      #expect(try await peer.nextData() != nil)
      await peer.open(3, .append, try bytes(of: numbered(2)))
      let running = try await server.nextAppend().responder
      await peer.goOn(1, try bytes(of: numbered(3)))
      await peer.open(5, .append, try bytes(of: numbered(4)))
      try await peer.settle()
      // A stream that has been answered is stopped, be its next request in line or not (R-DRN-7).
      await server.closeStreams()
      running.succeed(AppendEntriesResponse())
      #expect(try await server.nextAppend().request == numbered(4))
      await peer.close()
    }
  }

  @Test("A line of those who wait keeps nothing of those who left")
  func line() {
    var line = WaitingLine<Int>()
    line.enter(0)
    for element in 1...10_000 {
      line.enter(element)
      _ = line.leave(element)
    }
    #expect(line.count == 1)
    #expect(line.keptCount < 100)
    let called = (line.callFirst(), line.callFirst())
    #expect(called == (0, nil), "nobody is called twice before it asks")
    let turns = (line.isTurn(of: 1), line.isTurn(of: 0))
    #expect(turns == (false, true))
    let calledAgain = line.callFirst()
    #expect(calledAgain == 0)
    let hasLeft = (line.leave(0), line.leave(0))
    #expect(hasLeft == (true, false))
    #expect(line.count == 0 && line.keptCount == 0)
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
