public import NIOCore

/// What consensus code needs of a network: upstream's `Transport`, `WithPreVote` and `WithClose` as one protocol.
///
/// The names follow hashicorp/raft one to one. Every method may be called from any task at any time. The protocol
/// has no associated types, so that `any Transport` is a complete type.
///
/// Outbound calls throw ``TransportError``, which says what is known of the request's delivery. Cancelling the task
/// of a call ends that call alone.
public protocol Transport: Sendable {
  /// The RPCs that peers send to this server. Credit is given back to a peer when its RPC was answered.
  var consumer: IncomingRPCs { get }

  /// The address under which peers reach this server.
  var localAddress: ServerAddress { get }

  /// Opens a pipeline, which keeps several AppendEntries requests under way to one peer.
  ///
  /// - Throws: ``TransportError`` with `pipelineUnsupported` where pipelining is switched off, and whatever keeps
  ///   the peer from being reached.
  func appendEntriesPipeline(
    id: ServerID, target: ServerAddress
  ) async throws -> any AppendPipeline

  /// Sends one AppendEntries request and waits for its answer.
  func appendEntries(
    id: ServerID, target: ServerAddress, _ request: AppendEntriesRequest
  ) async throws -> AppendEntriesResponse

  /// Asks a peer for its vote.
  func requestVote(
    id: ServerID, target: ServerAddress, _ request: RequestVoteRequest
  ) async throws -> RequestVoteResponse

  /// Asks a peer whether it would vote, without making it change its term.
  func requestPreVote(
    id: ServerID, target: ServerAddress, _ request: RequestPreVoteRequest
  ) async throws -> RequestPreVoteResponse

  /// Sends a snapshot of exactly `request.size` bytes and waits until the peer has answered.
  func installSnapshot(
    id: ServerID, target: ServerAddress, _ request: InstallSnapshotRequest, data: SnapshotSource
  ) async throws -> InstallSnapshotResponse

  /// Tells a peer to start an election at once.
  func timeoutNow(
    id: ServerID, target: ServerAddress, _ request: TimeoutNowRequest
  ) async throws -> TimeoutNowResponse

  /// The bytes by which log entries and RPC headers name a peer.
  func encodePeer(id: ServerID, address: ServerAddress) -> ByteBuffer

  /// The address in bytes that ``encodePeer(id:address:)`` made.
  func decodePeer(_ bytes: ByteBuffer) -> ServerAddress

  /// Sets or removes the handler that takes heartbeats past the consumer, so that a busy consumer (a slow disk)
  /// does not make a follower look dead.
  ///
  /// The handler runs where the network is read: it must not block, and it may answer later. It takes effect for
  /// heartbeats that arrive after this call has returned.
  func setHeartbeatHandler(_ handler: HeartbeatHandler?)

  /// Stops serving and calling; what is under way ends with an error. Closing twice does nothing.
  func close() async
}

/// Takes heartbeats past the consumer; see ``Transport/setHeartbeatHandler(_:)``.
public typealias HeartbeatHandler = @Sendable (IncomingRPC) -> Void

/// A transport whose links can be made and cut by hand, as upstream's `WithPeers` and `LoopbackTransport`.
public protocol LoopbackTransport: Transport {
  /// Makes a peer reachable under an address.
  func connect(_ address: ServerAddress, to peer: any Transport)

  /// Makes an address unreachable; calls under way to it fail.
  func disconnect(_ address: ServerAddress)

  /// Makes all peers unreachable.
  func disconnectAll()
}
