/// One RPC that a peer has sent, with the means to answer it.
public struct IncomingRPC: Sendable {
  /// What was asked, and the responder that takes the answer.
  public let command: Command

  /// Who asked.
  public let origin: Origin

  /// Makes an incoming RPC; for transports and their tests.
  public init(command: Command, origin: Origin) {
    self.command = command
    self.origin = origin
  }

  /// The five RPCs of Raft, each with the responder of its own answer's type.
  public enum Command: Sendable {
    /// Append entries, or a heartbeat.
    case appendEntries(AppendEntriesRequest, Responder<AppendEntriesResponse>)
    /// A request for a vote.
    case requestVote(RequestVoteRequest, Responder<RequestVoteResponse>)
    /// A question whether this server would vote.
    case requestPreVote(RequestPreVoteRequest, Responder<RequestPreVoteResponse>)
    /// A snapshot; the body gives exactly `size` bytes or throws.
    case installSnapshot(InstallSnapshotRequest, SnapshotBody, Responder<InstallSnapshotResponse>)
    /// The order to start an election at once.
    case timeoutNow(TimeoutNowRequest, Responder<TimeoutNowResponse>)
  }

  /// Where an RPC came from.
  public struct Origin: Sendable, Hashable {
    /// The peer's ID as the connection's handshake verified or claimed it; empty where the transport has no IDs, and
    /// for peers that speak the classic protocol: what their requests say of themselves nobody has checked.
    public let id: ServerID

    /// The address that the peer advertises; empty where it did not say.
    public let address: ServerAddress

    /// What the peer speaks.
    public let peerProtocol: PeerProtocol

    /// Names an origin; for transports and their tests.
    public init(id: ServerID, address: ServerAddress, peerProtocol: PeerProtocol = .rmux) {
      self.id = id
      self.address = address
      self.peerProtocol = peerProtocol
    }
  }
}

extension IncomingRPC {
  /// Whether this is the kind of request that a leader sends to keep its followers from electing another.
  ///
  /// This is upstream's predicate (`NetworkTransport.handleCommand`, 1.3.7 and newer): a term, a leader named in
  /// the header's address or in the old leader field, and nothing else.
  public var isHeartbeat: Bool {
    guard case .appendEntries(let request, _) = command else { return false }
    return request.isHeartbeat
  }

  /// Answers with an error text, whatever was asked.
  ///
  /// - Returns: `false` if the RPC had been answered before; then nothing happens.
  @discardableResult
  public func fail(_ errorText: String) -> Bool {
    switch command {
    case .appendEntries(_, let responder): responder.fail(errorText)
    case .requestVote(_, let responder): responder.fail(errorText)
    case .requestPreVote(_, let responder): responder.fail(errorText)
    case .installSnapshot(_, _, let responder): responder.fail(errorText)
    case .timeoutNow(_, let responder): responder.fail(errorText)
    }
  }

  /// Whether the RPC belongs to an election, so that it may overtake appends and snapshots.
  package var isElectionTraffic: Bool {
    switch command {
    case .requestVote, .requestPreVote, .timeoutNow: true
    case .appendEntries, .installSnapshot: false
    }
  }
}
