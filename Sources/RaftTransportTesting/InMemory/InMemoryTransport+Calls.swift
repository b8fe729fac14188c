internal import NIOCore
public import RaftTransport

extension InMemoryTransport {
  /// What one kind of RPC needs on its way.
  struct CallShape<Response: Sendable>: Sendable {
    let lane: InMemoryLink.Lane
    let command: @Sendable (Responder<Response>) -> IncomingRPC.Command
    let wrap: @Sendable (Response) -> RemoteError.Response
  }

  /// Sends one AppendEntries request and waits for its answer.
  public func appendEntries(
    id: ServerID, target: ServerAddress, _ request: AppendEntriesRequest
  ) async throws -> AppendEntriesResponse {
    try await self.call(id: id, target: target, limit: self.options.timeout, Self.shape(of: request))
  }

  /// Asks a peer for its vote.
  public func requestVote(
    id: ServerID, target: ServerAddress, _ request: RequestVoteRequest
  ) async throws -> RequestVoteResponse {
    let shape = CallShape<RequestVoteResponse>(
      lane: .election, command: { .requestVote(request, $0) }, wrap: { .requestVote($0) })
    return try await self.call(id: id, target: target, limit: self.options.timeout, shape)
  }

  /// Asks a peer whether it would vote.
  public func requestPreVote(
    id: ServerID, target: ServerAddress, _ request: RequestPreVoteRequest
  ) async throws -> RequestPreVoteResponse {
    let shape = CallShape<RequestPreVoteResponse>(
      lane: .election, command: { .requestPreVote(request, $0) }, wrap: { .requestPreVote($0) })
    return try await self.call(id: id, target: target, limit: self.options.timeout, shape)
  }

  /// Tells a peer to start an election at once; it has ten times the usual time, as upstream.
  public func timeoutNow(
    id: ServerID, target: ServerAddress, _ request: TimeoutNowRequest
  ) async throws -> TimeoutNowResponse {
    let shape = CallShape<TimeoutNowResponse>(
      lane: .election, command: { .timeoutNow(request, $0) }, wrap: { .timeoutNow($0) })
    return try await self.call(id: id, target: target, limit: self.options.timeout * 10, shape)
  }

  /// Sends a snapshot and waits for the answer; it has ten times the usual time, as upstream.
  public func installSnapshot(
    id: ServerID, target: ServerAddress, _ request: InstallSnapshotRequest, data: SnapshotSource
  ) async throws -> InstallSnapshotResponse {
    let link = try self.link(to: target, id: id)
    let pipe = SnapshotPipe(isEmpty: request.size <= 0)
    let shape = CallShape<InstallSnapshotResponse>(
      lane: .ordinary,
      command: { .installSnapshot(request, pipe.body, $0) },
      wrap: { .installSnapshot($0) })
    let exchange = InMemoryExchange<InstallSnapshotResponse>()
    let ticket = link.observe { $0.fail(exchange) }
    defer { link.forget(ticket) }
    let outcome = await withTaskGroup(of: Void.self) { group in
      group.addTask {
        let pump = SnapshotPump(source: data, size: request.size, pipe: pipe)
        let deliver = { self.submit(shape, exchange, ticket: ticket, to: link) }
        if let failure = await pump.run(deliver: deliver) {
          exchange.fail(.snapshotSource, failure.message, underlying: failure.underlying)
          pipe.cut("the snapshot's source failed at the sender")
        }
      }
      let outcome = await exchange.outcome(within: self.options.timeout * 10, clock: self.options.clock)
      pipe.cut("the call that sends the snapshot has ended")
      group.cancelAll()
      return outcome
    }
    return try outcome.get()
  }

  /// Opens a pipeline; requests of it go to the peer in order.
  public func appendEntriesPipeline(id: ServerID, target: ServerAddress) async throws -> any AppendPipeline {
    let link = try self.link(to: target, id: id)
    guard self.options.maxRPCsInFlight > 1 else {
      throw TransportError(
        .pipelineUnsupported, "pipelining is switched off by maxRPCsInFlight 1", delivery: .notDelivered)
    }
    return InMemoryPipeline(transport: self, link: link, target: target)
  }

  static func shape(of request: AppendEntriesRequest) -> CallShape<AppendEntriesResponse> {
    CallShape(
      lane: Self.isHeartbeat(request) ? .election : .ordinary,
      command: { .appendEntries(request, $0) },
      wrap: { .appendEntries($0) })
  }

  private static func isHeartbeat(_ request: AppendEntriesRequest) -> Bool {
    let probe = Responder<AppendEntriesResponse> { _ in }
    return IncomingRPC(
      command: .appendEntries(request, probe), origin: IncomingRPC.Origin(id: "", address: "")
    ).isHeartbeat
  }

  private func call<Response>(
    id: ServerID, target: ServerAddress, limit: Duration, _ shape: CallShape<Response>
  ) async throws -> Response {
    let link = try self.link(to: target, id: id)
    let exchange = InMemoryExchange<Response>()
    let ticket = link.observe { $0.fail(exchange) }
    defer { link.forget(ticket) }
    self.submit(shape, exchange, ticket: ticket, to: link)
    return try await exchange.outcome(within: limit, clock: self.options.clock).get()
  }

  /// Sends a request to the peer as soon as there is room for it.
  func submit<Response>(
    _ shape: CallShape<Response>, _ exchange: InMemoryExchange<Response>, ticket: InMemoryLink.Ticket,
    to link: InMemoryLink
  ) {
    let origin = self.origin
    link.submit(ticket, lane: shape.lane) {
      guard exchange.markDelivered() else { return false }
      let responder = Responder<Response> { reply in
        exchange.end(reply, wrap: shape.wrap)
        link.release(shape.lane)
      }
      let command = shape.command(responder)
      let rpc = IncomingRPC(command: command, origin: origin)
      if !link.inbox.receive(rpc, isUrgent: command.isElection) {
        // The error must be in place before the responder goes and answers with its own.
        exchange.end(
          .failure(TransportError(.unreachable, "the peer was closed", delivery: .notDelivered)))
      }
      withExtendedLifetime(rpc) {}
      return true
    }
  }
}

extension IncomingRPC.Command {
  /// Whether the RPC may overtake appends and snapshots.
  fileprivate var isElection: Bool {
    switch self {
    case .requestVote, .requestPreVote, .timeoutNow: true
    case .appendEntries, .installSnapshot: false
    }
  }
}

extension InMemorySeverance {
  /// Ends an exchange whose link was cut.
  func fail<Response>(_ exchange: InMemoryExchange<Response>) {
    exchange.fail(delivered: self.code, notDelivered: self.codeBeforeDelivery, self.message)
  }
}
