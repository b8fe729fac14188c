import Logging
public import NIOCore
import RaftWire
public import ServiceLifecycle
import StreamMux
import Synchronization

/// A Raft transport on which each pair of servers shares one TCP connection.
///
/// It listens from the moment it is made, dials when it is first called, and can be used from any task. Close it
/// when it is no longer needed, or let a `ServiceGroup` run it.
///
///     let transport = try await MuxTransport.listen(
///       on: "10.0.0.7:8300",
///       configuration: TransportConfiguration(serverID: "node-1", clusterID: "prod"))
public final class MuxTransport: Transport, Service {
  /// The address under which peers reach this server: the advertised one, or else the bound one.
  public let localAddress: ServerAddress

  /// Runs tasks on the event loop that carries all connections of this transport.
  ///
  /// A task that prefers it calls and serves without a change of threads, which is most of the time that a small call
  /// takes: bytes that arrive go on in the task, and what the task sends goes out, on the same thread. In return, while
  /// such a task computes, no connection of the transport moves. So it is for consensus code that never blocks: no
  /// file I/O, no locks held for long, no long computations. What such a task passes to a call, a snapshot's source above
  /// all, is asked there, too. Jobs are lost once the event loop is shut down: its group has to outlive such tasks.
  ///
  ///     await withTaskExecutorPreference(transport.executor) {
  ///       for await rpc in transport.consumer { node.handle(rpc) }
  ///     }
  public let executor: any TaskExecutor

  private let configuration: TransportConfiguration
  private let addresses: AddressBook
  private let services: InboundServices
  private let directory: PeerDirectory
  private let oldPeers: OldPeerDirectory
  private let listener: Listener
  private let encoder: WireEncoder
  private let lifecycle = Mutex(Lifecycle.running)
  /// Ends when ``close()`` begins.
  private let closing = AsyncQueue<Never>()

  /// How long a graceful shutdown waits for what is under way.
  private static let drainPatience = TimeAmount.seconds(5)

  private enum Lifecycle {
    case running
    case closing([CheckedContinuation<Void, Never>])
    case closed
  }

  private init(
    configuration: TransportConfiguration, localAddress: ServerAddress, services: InboundServices,
    directory: PeerDirectory, oldPeers: OldPeerDirectory, listener: Listener, executor: LoopExecutor
  ) {
    self.configuration = configuration
    self.localAddress = localAddress
    self.services = services
    self.directory = directory
    self.oldPeers = oldPeers
    self.listener = listener
    self.executor = executor
    self.addresses = AddressBook(
      provider: configuration.addressProvider, waits: directory.waits, logger: configuration.logger)
    self.encoder = WireEncoder(profile: configuration.wireProfile)
  }

  /// Opens a transport that listens.
  ///
  /// - Parameters:
  ///   - bindAddress: `host:port`; port 0 lets the system choose, an empty host means all interfaces (which need an
  ///     advertised address in the configuration).
  ///   - configuration: How the transport behaves.
  /// - Throws: ``TransportError``: `badAddress`, `notAdvertisable`, `badConfiguration` or `listenFailed`.
  public static func listen(
    on bindAddress: String, configuration: TransportConfiguration
  ) async throws -> MuxTransport {
    try configuration.validate()
    configuration.security.announce(configuration.logger)
    let hostPort = try HostPort(bindAddress)
    let services = InboundServices(configuration: configuration)
    // The listener has to stand before its address is known, and the directory needs the address: connections that
    // come in between wait for it.
    let eventLoop = configuration.eventLoopGroup.next()
    let directory = eventLoop.makePromise(of: PeerDirectory.self)
    let listener: Listener
    do {
      listener = try await Listener.open(
        on: hostPort, network: configuration.environment.network, eventLoop: eventLoop, services: services
      ) { channel in
        directory.futureResult.flatMap { $0.accept(channel) }
      }
    } catch {
      directory.fail(error)
      throw error
    }
    do {
      let localAddress = try AdvertisedAddress.choose(
        configured: configuration.advertisedAddress, listener.channel)
      let settings = try EngineSettings(configuration, advertisedAddress: localAddress)
      let oldPeers = try await eventLoop.submit {
        OldPeerDirectory(configuration: configuration, services: services, eventLoop: eventLoop)
      }.get()
      let peers = PeerDirectory(
        configuration: configuration, settings: settings, services: services, oldPeers: oldPeers,
        eventLoop: eventLoop)
      directory.succeed(peers)
      return MuxTransport(
        configuration: configuration, localAddress: localAddress, services: services, directory: peers,
        oldPeers: oldPeers, listener: listener, executor: LoopExecutor(eventLoop: eventLoop))
    } catch {
      directory.fail(error)
      try? await listener.channel.close()
      throw error
    }
  }

  // MARK: Serving

  /// The RPCs that peers send to this server.
  public var consumer: IncomingRPCs { IncomingRPCs(queue: services.queue) }

  /// Sets or removes the handler that takes heartbeats past the consumer. It runs on the event loop of the
  /// connection: it must not block, and it may answer later.
  public func setHeartbeatHandler(_ handler: HeartbeatHandler?) {
    services.setHeartbeatHandler(handler)
  }

  /// The address as bytes. The address provider, if there is one, is not asked here, since it may have to wait; its
  /// answers are used by calls.
  public func encodePeer(id: ServerID, address: ServerAddress) -> ByteBuffer {
    ByteBuffer(string: address.rawValue)
  }

  /// The address in bytes that ``encodePeer(id:address:)`` made.
  public func decodePeer(_ bytes: ByteBuffer) -> ServerAddress {
    ServerAddress(String(buffer: bytes))
  }

  // MARK: Calling

  /// Opens a pipeline on a stream of its own.
  public func appendEntriesPipeline(
    id: ServerID, target: ServerAddress
  ) async throws -> any AppendPipeline {
    guard configuration.pipelineDepth >= 2 else {
      throw TransportError(.pipelineUnsupported, "", delivery: .notDelivered)
    }
    let timeout = configuration.timeout > .zero ? TimeAmount(configuration.timeout) : nil
    let core: PipelineCore
    switch try await route(to: id, target, deadline: callDeadline) {
    case .rmux(let link):
      core = try PipelineCore.open(
        on: link, peer: id, depth: configuration.pipelineDepth, group: configuration.group, encoder: encoder,
        limits: services.messageLimits, timeout: timeout)
    case .classic(let target):
      core = try await ClassicAppendStream.open(
        to: target, on: oldPeers, depth: configuration.pipelineDepth, timeout: timeout, deadline: callDeadline
      )
    }
    return MuxAppendPipeline(core: core)
  }

  /// Sends one AppendEntries request and waits for its answer.
  public func appendEntries(
    id: ServerID, target: ServerAddress, _ request: AppendEntriesRequest
  ) async throws -> AppendEntriesResponse {
    try await call(id, target, request)
  }

  /// Asks a peer for its vote.
  public func requestVote(
    id: ServerID, target: ServerAddress, _ request: RequestVoteRequest
  ) async throws -> RequestVoteResponse {
    try await call(id, target, request)
  }

  /// Asks a peer whether it would vote.
  public func requestPreVote(
    id: ServerID, target: ServerAddress, _ request: RequestPreVoteRequest
  ) async throws -> RequestPreVoteResponse {
    try await call(id, target, request)
  }

  /// Tells a peer to start an election at once.
  public func timeoutNow(
    id: ServerID, target: ServerAddress, _ request: TimeoutNowRequest
  ) async throws -> TimeoutNowResponse {
    try await call(id, target, request)
  }

  /// Sends a snapshot of exactly `request.size` bytes and waits until the peer has answered.
  public func installSnapshot(
    id: ServerID, target: ServerAddress, _ request: InstallSnapshotRequest, data: SnapshotSource
  ) async throws -> InstallSnapshotResponse {
    let clock = SnapshotClock(
      configuration.snapshotDeadline, size: request.size, timeout: configuration.timeout)
    switch try await route(to: id, target, deadline: callDeadline) {
    case .rmux(let link):
      let call = SnapshotCall(
        link: link, peer: id, group: configuration.group, encoder: encoder, limits: services.messageLimits,
        compression: configuration.compression, environment: configuration.environment, clock: clock)
      return try await call.run(request, data)
    case .classic(let target):
      return try await ClassicSnapshotCall.run(
        request, data, to: target, on: oldPeers, clock: clock, deadline: callDeadline)
    }
  }

  private var callDeadline: NIODeadline? {
    configuration.timeout > .zero ? directory.now + TimeAmount(configuration.timeout) : nil
  }

  private func call<Request: RaftRequest>(
    _ id: ServerID, _ target: ServerAddress, _ request: Request
  ) async throws -> Request.Answer {
    let deadline = callDeadline
    switch try await route(to: id, target, deadline: deadline) {
    case .rmux(let link):
      do {
        return try await UnaryCall.run(
          request, on: link, peer: id, group: configuration.group, encoder: encoder,
          limits: services.messageLimits, deadline: deadline)
      } catch let error as TransportError
        where error.code == .connectionLost && configuration.environment.has(.repeatsLostCalls)
      {
        return try await call(id, target, request)
      }
    case .classic(let target):
      return try await ClassicUnaryCall.run(request, to: target, on: oldPeers, deadline: deadline)
    }
  }

  /// How a call gets to its peer.
  private enum Route {
    case rmux(Link)
    case classic(DialTarget)
  }

  private func route(to id: ServerID, _ target: ServerAddress, deadline: NIODeadline?) async throws -> Route {
    if isShutdown { throw TransportError(.shutdown, "", delivery: .notDelivered) }
    let address = try await addresses.address(of: id, orElse: target, deadline: deadline)
    if let link = directory.establishedLink(to: id, at: address) { return .rmux(link) }
    let peer = DialTarget(address: address, id: id)
    switch oldPeers.chooser.choice(for: peer) {
    case .classic:
      return .classic(peer)
    case .rmux(let mayFallBack):
      // A server of RMUX may close in silence, too, for once: while it starts, or is full. So it has two tries (R-CLS-27).
      for attempt in 1...2 {
        do {
          return .rmux(try await directory.link(to: id, at: address, deadline: deadline))
        } catch let error as TransportError where mayFallBack && error.suggestsClassicPeer {
          configuration.logger.debug(
            "a peer closed an RMUX connection in silence",
            metadata: ["server": "\(id)", "address": "\(address)", "attempt": "\(attempt)"])
        }
      }
      // Whether it is an old peer shows when it answers this call. What was seen here is no reason for a later one: until
      // then there may be another server.
      directory.forgetFailures(of: peer)
      return .classic(peer)
    }
  }

  // MARK: Lifecycle

  /// What the transport is doing now.
  public func statistics() async -> TransportStatistics {
    var statistics = await directory.statistics()
    statistics.connections += await oldPeers.statistics().sorted {
      ($0.peerID, $0.localPort, $0.remotePort) < ($1.peerID, $1.localPort, $1.remotePort)
    }
    return statistics
  }

  /// What peers make this transport hold, for tests of its bounds.
  package func burden() async -> TransportBurden { await directory.burden() }

  /// The peers that are known to speak RMUX, those of the configuration among them. They are never called with the old
  /// protocol, whatever they do; to have that hold beyond the life of the process, keep the set and give it to the next
  /// one in ``TransportConfiguration/OldPeers/knownToSpeakRMUX``.
  public var peersThatSpokeRMUX: TransportConfiguration.KnownPeers { oldPeers.chooser.peersThatSpokeRMUX }

  /// Says that a peer, which has spoken RMUX, may speak nothing but the old protocol from now on, because it was set
  /// back to an older program.
  public func allowFallBack(to id: ServerID, at address: ServerAddress) {
    let peer = DialTarget(address: address, id: id)
    oldPeers.chooser.forgetRMUX(peer)
    directory.forgetFailures(of: peer)
  }

  /// Closes the streams of both directions in good order: unary calls and snapshots under way come to their end,
  /// pipelines of both sides end with an error, and the next call makes a new connection. Upstream's `CloseStreams`.
  public func closeStreams() async {
    directory.drain()
    oldPeers.closeStreams()
  }

  /// Whether ``close()`` was called.
  public var isShutdown: Bool {
    lifecycle.withLock { lifecycle in
      if case .running = lifecycle { false } else { true }
    }
  }

  /// Stops listening, ends all connections and calls, and ends ``consumer``; returns when every socket is closed.
  public func close() async {
    let isFirst = lifecycle.withLock { lifecycle in
      guard case .running = lifecycle else { return false }
      lifecycle = .closing([])
      return true
    }
    guard isFirst else { return await awaitClosed() }
    closing.finish()
    try? await listener.channel.close()
    services.queue.finish(droppingElements: true)
    await oldPeers.shutDown()
    await directory.shutDown()
    let waiters = lifecycle.withLock { lifecycle in
      defer { lifecycle = .closed }
      if case .closing(let waiters) = lifecycle { return waiters } else { return [] }
    }
    for waiter in waiters { waiter.resume() }
  }

  private func awaitClosed() async {
    await withCheckedContinuation { continuation in
      let isClosed = lifecycle.withLock { lifecycle in
        guard case .closing(let waiters) = lifecycle else { return true }
        lifecycle = .closing(waiters + [continuation])
        return false
      }
      if isClosed { continuation.resume() }
    }
  }

  /// Runs until the service group shuts down gracefully, the task is cancelled or the transport is closed; then
  /// lets calls under way end and closes.
  public func run() async throws {
    await withTaskGroup { group in
      group.addTask { try? await gracefulShutdown() }
      group.addTask { _ = await self.closing.next() }
      await group.next()
      group.cancelAll()
    }
    if !isShutdown && !Task.isCancelled {
      // Peers that are sent away would come back at once to a listener that stands.
      try? await listener.channel.close()
      oldPeers.closeStreams(closingIdle: true)
      await directory.drain(patience: Self.drainPatience)
    }
    await close()
  }
}
