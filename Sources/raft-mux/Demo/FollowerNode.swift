import RaftTransport

/// A follower, as the demo deals with it, in this process or in one of its own.
protocol FollowerNode: Sendable {
  /// The follower, as calls name it.
  var peer: Peer { get }

  /// The follower's own process; `nil` where it lives in this one.
  var processID: Int32? { get }

  /// Makes the follower ask others for pre-votes.
  func askForPreVotes(of peers: [Peer]) async throws

  /// What the follower sees.
  func observe() async throws -> NodeObservation

  /// Ends the follower's asking; returns what it sees after the last answer.
  func finish() async throws -> NodeObservation

  /// Closes the follower's transport and ends its process, if it has one.
  ///
  /// - Returns: Descriptors that the follower's own process had left over; `nil` where they were not counted.
  func close() async throws -> [String]?
}

/// How often a node asks each peer for its vote.
enum VotePause {
  static let leader = Duration.milliseconds(2)
  static let follower = Duration.milliseconds(20)
}

/// A follower in this process.
struct LocalFollower: FollowerNode {
  let node: DemoNode

  var peer: Peer { self.node.peer }
  var processID: Int32? { nil }

  func askForPreVotes(of peers: [Peer]) {
    self.node.askForVotes(.preVotes, of: peers, pause: VotePause.follower)
  }

  func observe() async -> NodeObservation {
    await self.node.observe()
  }

  func finish() async -> NodeObservation {
    await self.node.stopAsking()
    return await self.node.observe()
  }

  func close() async -> [String]? {
    await self.node.close()
    // This process's descriptors are counted once, for all its nodes.
    return nil
  }
}
