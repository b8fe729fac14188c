import NIOCore
import RaftTransport
import RaftTransportTesting
import Testing

@Suite("What only the in-memory transport does")
struct InMemoryTransportTests {
  private let one = InMemoryTransport(options: .init(timeout: .zero))
  private let other = InMemoryTransport(options: .init(timeout: .zero))

  private func append(_ number: UInt64 = 1) async throws -> AppendEntriesResponse {
    try await self.one.appendEntries(
      id: "", target: self.other.localAddress, AppendEntriesRequest(term: 1, previousLogIndex: number))
  }

  private func error(of operation: () async throws -> Void) async -> TransportError? {
    do {
      try await operation()
      return nil
    } catch {
      return error as? TransportError
    }
  }

  @Test("Random addresses differ and look like UUIDs")
  func randomAddresses() {
    let addresses = (0..<100).map { _ in InMemoryTransport.randomAddress() }
    #expect(Set(addresses).count == 100)
    for address in addresses {
      #expect(address.rawValue.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
    }
  }

  @Test("An address that is given is kept")
  func givenAddress() {
    #expect(InMemoryTransport(address: "here").localAddress == "here")
  }

  @Test("Without a route the error names the address as upstream's does")
  func noRoute() async {
    let error = await self.error { _ = try await self.append() }
    #expect(error?.message == "failed to connect to peer: \(self.other.localAddress)")
    #expect(error?.delivery == .notDelivered)
  }

  @Test("A route leads one way only")
  func oneWay() async throws {
    self.one.connect(self.other.localAddress, to: self.other)
    try await withEchoConsumer(self.other) { consumer in
      _ = try await self.append()
      #expect(consumer.counts.appendEntries == 1)
    }
    let error = await self.error {
      _ = try await self.other.requestVote(
        id: "", target: self.one.localAddress, RequestVoteRequest())
    }
    #expect(error?.code == .unreachable)
  }

  enum Cut: CaseIterable {
    case disconnect
    case disconnectAll
    case replace
  }

  private func apply(_ cut: Cut) {
    switch cut {
    case .disconnect: self.one.disconnect(self.other.localAddress)
    case .disconnectAll: self.one.disconnectAll()
    case .replace: self.one.connect(self.other.localAddress, to: InMemoryTransport())
    }
  }

  @Test("Cutting a route fails the calls under way", arguments: Cut.allCases)
  func cutCall(_ cut: Cut) async throws {
    self.one.connect(self.other.localAddress, to: self.other)
    async let outcome = self.error { _ = try await self.append() }
    let rpc = try #require(await self.other.consumer.makeAsyncIterator().next())
    self.apply(cut)
    let error = await outcome
    #expect(error?.code == .connectionLost)
    #expect(error?.delivery == .unknown)
    withExtendedLifetime(rpc) {}
  }

  @Test("Cutting a route closes its pipelines", arguments: Cut.allCases)
  func cutPipeline(_ cut: Cut) async throws {
    self.one.connect(self.other.localAddress, to: self.other)
    let pipeline = try await self.one.appendEntriesPipeline(id: "", target: self.other.localAddress)
    let future = try await pipeline.appendEntries(AppendEntriesRequest(term: 1, previousLogIndex: 1))
    self.apply(cut)
    #expect(await self.error { _ = try await future.response }?.code == .pipelineClosed)
    let later = await self.error { _ = try await pipeline.appendEntries(AppendEntriesRequest()) }
    #expect(later?.code == .pipelineClosed)
    let taken = pipeline.consumer.makeAsyncIterator()
    #expect(await taken.next() === future)
    #expect(await taken.next() == nil)
  }

  @Test("Connecting the same peer again disturbs nothing")
  func reconnectSame() async throws {
    self.one.connect(self.other.localAddress, to: self.other)
    async let response = self.append()
    let rpc = try #require(await self.other.consumer.makeAsyncIterator().next())
    self.one.connect(self.other.localAddress, to: self.other)
    guard case .appendEntries(_, let responder) = rpc.command else {
      Issue.record("\(rpc.command)")
      return
    }
    responder.succeed(AppendEntriesResponse(term: 8))
    #expect(try await response.term == 8)
  }

  @Test("A route that was cut can be made again")
  func reconnect() async throws {
    self.one.connect(self.other.localAddress, to: self.other)
    self.one.disconnect(self.other.localAddress)
    self.one.connect(self.other.localAddress, to: self.other)
    try await withEchoConsumer(self.other) { _ in
      let response = try await self.append(4)
      #expect(response.lastLog == 4)
    }
  }

  @Test("A call that waits for room at the peer was not delivered when its link is cut")
  func waitingCall() async throws {
    let caller = InMemoryTransport(
      options: .init(timeout: .zero, maxRPCsInFlight: 16, unansweredRequestsPerLink: 1))
    caller.connect(self.other.localAddress, to: self.other)
    let pipeline = try await caller.appendEntriesPipeline(id: "", target: self.other.localAddress)
    let first = try await pipeline.appendEntries(AppendEntriesRequest(term: 1, previousLogIndex: 1))
    let second = try await pipeline.appendEntries(AppendEntriesRequest(term: 1, previousLogIndex: 2))
    caller.disconnectAll()
    #expect(await self.error { _ = try await first.response }?.delivery == .unknown)
    #expect(await self.error { _ = try await second.response }?.delivery == .notDelivered)
  }

  @Test("An answer makes room for the request that waits")
  func roomAgain() async throws {
    let caller = InMemoryTransport(
      options: .init(timeout: .zero, maxRPCsInFlight: 64, unansweredRequestsPerLink: 1))
    caller.connect(self.other.localAddress, to: self.other)
    let pipeline = try await caller.appendEntriesPipeline(id: "", target: self.other.localAddress)
    for number in 1...50 as ClosedRange<UInt64> {
      _ = try await pipeline.appendEntries(AppendEntriesRequest(term: number, previousLogIndex: number))
    }
    try await withEchoConsumer(self.other) { _ in
      let consumer = pipeline.consumer.makeAsyncIterator()
      for number in 1...50 as ClosedRange<UInt64> {
        let response = try await consumer.next()?.response
        #expect(response?.term == number)
      }
    }
  }

  @Test("Two transports that are connected with each other go when nobody holds them")
  func noCycle() {
    weak var kept: InMemoryTransport?
    do {
      let left = InMemoryTransport()
      let right = InMemoryTransport()
      left.connect("right", to: right)
      right.connect("left", to: left)
      kept = left
    }
    #expect(kept == nil)
  }

  @Test("A pipeline that is dropped fails its requests")
  func droppedPipeline() async throws {
    self.one.connect(self.other.localAddress, to: self.other)
    let future = try await self.one.appendEntriesPipeline(id: "", target: self.other.localAddress)
      .appendEntries(AppendEntriesRequest(term: 1, previousLogIndex: 1))
    #expect(await self.error { _ = try await future.response }?.code == .pipelineClosed)
  }

  @Test("Time that stands still lets no call time out; time that passes does")
  func scriptedTime() async throws {
    let clock = ScriptedClock()
    let caller = InMemoryTransport(options: .init(timeout: .seconds(3), clock: clock))
    caller.connect(self.other.localAddress, to: self.other)
    async let outcome = self.error {
      _ = try await caller.appendEntries(
        id: "", target: self.other.localAddress, AppendEntriesRequest(term: 1, previousLogIndex: 1))
    }
    let rpc = try #require(await self.other.consumer.makeAsyncIterator().next())
    await clock.passWhenAsked(.seconds(3))
    let error = await outcome
    #expect(error?.code == .timeout)
    #expect(error?.delivery == .unknown)
    withExtendedLifetime(rpc) {}
  }
}

/// A clock whose sleepers wake when the test says so.
private struct ScriptedClock: Clock {
  struct Instant: InstantProtocol {
    var offset: Duration
    func advanced(by duration: Duration) -> Instant { Instant(offset: self.offset + duration) }
    func duration(to other: Instant) -> Duration { other.offset - self.offset }
    static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  private let asked = AsyncStream.makeStream(of: Instant.self)
  private let granted = AsyncStream.makeStream(of: Void.self)

  var now: Instant { Instant(offset: .zero) }
  var minimumResolution: Duration { .zero }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    self.asked.continuation.yield(deadline)
    for await _ in self.granted.stream { return }
    throw CancellationError()
  }

  /// Waits for a sleeper that asks for this time, and wakes it.
  func passWhenAsked(_ duration: Duration) async {
    for await instant in self.asked.stream where instant.offset == duration {
      self.granted.continuation.yield()
      return
    }
  }
}
