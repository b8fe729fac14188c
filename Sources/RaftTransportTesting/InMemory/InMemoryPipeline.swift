internal import DequeModule
internal import RaftTransport
internal import Synchronization

/// A pipeline between in-memory transports. Dropping it closes it.
final class InMemoryPipeline: AppendPipeline {
  private let transport: InMemoryTransport
  private let link: InMemoryLink
  private let core: InMemoryPipelineCore
  private let watch: InMemoryLink.Ticket
  private let settling: Task<Void, Never>

  init(transport: InMemoryTransport, link: InMemoryLink, target: ServerAddress) {
    let core = InMemoryPipelineCore(depth: transport.options.maxRPCsInFlight, link: link)
    let options = transport.options
    self.transport = transport
    self.link = link
    self.core = core
    self.watch = link.observe { core.close("\($0.message) (pipeline to \(target))") }
    // Ends with the pipeline: closing the core ends its queue.
    self.settling = Task {
      while let item = await core.started.next() {
        _ = await item.exchange.outcome(within: options.timeout, clock: options.clock)
        core.settle(item)
      }
    }
  }

  deinit {
    self.finish()
  }

  var consumer: AppendFutures {
    let core = self.core
    return AppendFutures { await core.takeFuture() }
  }

  func appendEntries(_ request: AppendEntriesRequest) async throws -> AppendFuture {
    if Task.isCancelled {
      throw TransportError(.cancelled, "the task of the call was cancelled", delivery: .notDelivered)
    }
    let exchange = InMemoryExchange<AppendEntriesResponse>()
    let item = InMemoryPipelineCore.Item(
      future: AppendFuture(request: request), exchange: exchange, ticket: self.link.makeTicket())
    guard self.core.start(item) else {
      throw TransportError(.pipelineClosed, "the pipeline was closed", delivery: .notDelivered)
    }
    // One lane for all requests of a pipeline, heartbeats too: a lane keeps its order.
    let shape = InMemoryTransport.CallShape<AppendEntriesResponse>(
      lane: .ordinary, command: { .appendEntries(request, $0) }, wrap: { .appendEntries($0) })
    self.transport.submit(shape, exchange, ticket: item.ticket, to: self.link)
    try await self.core.waitForRoom()
    return item.future
  }

  func close() async {
    self.finish()
    await self.settling.value
  }

  private func finish() {
    self.link.forget(self.watch)
    self.core.close("the pipeline was closed")
  }
}

/// The state of a pipeline, apart from its owner, so that its task does not keep the pipeline alive.
final class InMemoryPipelineCore: Sendable {
  struct Item: Sendable {
    let future: AppendFuture
    let exchange: InMemoryExchange<AppendEntriesResponse>
    let ticket: InMemoryLink.Ticket
  }

  private struct State {
    var isClosed = false
    var inProgress = Deque<Item>()
    /// Requests that were sent and whose futures were not taken.
    var untaken = 0
    /// Calls that wait until there is room for another request.
    var waiters: [InMemoryExchange<Void>] = []
  }

  /// The requests in order, for the task that settles them.
  let started = AsyncQueue<Item>()
  private let answered = AsyncQueue<AppendFuture>()
  private let depth: Int
  private let link: InMemoryLink
  private let state = Mutex(State())

  init(depth: Int, link: InMemoryLink) {
    self.depth = depth
    self.link = link
  }

  /// Notes a request; `false` if the pipeline was closed.
  func start(_ item: Item) -> Bool {
    self.state.withLock { state in
      guard !state.isClosed else { return false }
      state.inProgress.append(item)
      state.untaken += 1
      return self.started.push(item)
    }
  }

  /// Waits until another request may be sent.
  ///
  /// - Throws: `cancelled` and `pipelineClosed`; the request that is the reason to wait was sent.
  func waitForRoom() async throws {
    let room = InMemoryExchange<Void>()
    // The request went out before the wait: whatever ends the wait says "unknown".
    _ = room.markDelivered()
    let mustWait = self.state.withLock { state in
      guard !state.isClosed, state.untaken >= self.depth else { return false }
      state.waiters.append(room)
      return true
    }
    guard mustWait else { return }
    let outcome = await room.outcome
    self.state.withLock { state in state.waiters.removeAll { $0 === room } }
    try outcome.get()
  }

  /// Hands the future of an answered request on, unless closing the pipeline has done so.
  func settle(_ item: Item) {
    // Resuming continuations runs none of their code here, so that the lock may be held; it keeps the order.
    self.state.withLock { state in
      guard let first = state.inProgress.first, first.future === item.future else { return }
      state.inProgress.removeFirst()
      self.deliver(item, closing: "the pipeline was closed")
    }
  }

  func close(_ reason: String) {
    self.state.withLock { state in
      guard !state.isClosed else { return }
      state.isClosed = true
      for item in state.inProgress { self.deliver(item, closing: reason) }
      state.inProgress = []
      for waiter in state.waiters { waiter.fail(.pipelineClosed, reason) }
      state.waiters = []
      self.answered.finish()
      self.started.finish(droppingElements: true)
    }
  }

  func takeFuture() async -> AppendFuture? {
    guard let future = await self.answered.next() else { return nil }
    self.state.withLock { state in
      state.untaken -= 1
      // Waiters have sent their requests, which count: while the pipeline is overfull, nobody goes on.
      guard state.untaken < self.depth else { return }
      for waiter in state.waiters { waiter.end(.success(())) }
      state.waiters = []
    }
    return future
  }

  private func deliver(_ item: Item, closing reason: String) {
    // An exchange that was answered keeps its answer; any other one ends here.
    item.future.complete(item.exchange.fail(.pipelineClosed, reason))
    // A request that still waits for room must not take it any more.
    self.link.forget(item.ticket)
    self.answered.push(item.future)
  }
}
