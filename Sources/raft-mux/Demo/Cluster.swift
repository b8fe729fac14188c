import Foundation

/// The demo's three nodes: the leader in this process, the followers here or in processes of their own.
struct Cluster: Sendable {
  let leader: DemoNode
  let followers: [any FollowerNode]

  /// Starts the nodes, each on a port of the system's choice; none of them knows the others yet.
  static func start(
    settings: NodeSettings, inProcesses: Bool, open: @escaping OpenTransport
  ) async throws -> Cluster {
    let leader = try await DemoNode.start(id: "leader", settings: settings, open: open)
    var followers: [any FollowerNode] = []
    do {
      for id in ["follower-1", "follower-2"] {
        if inProcesses {
          followers.append(try await NodeProcess.start(id: id, settings: settings))
        } else {
          followers.append(
            LocalFollower(node: try await DemoNode.start(id: id, settings: settings, open: open)))
        }
      }
    } catch {
      await Cluster(leader: leader, followers: followers).closeAll()
      throw error
    }
    return Cluster(leader: leader, followers: followers)
  }

  /// The listeners' ports.
  var ports: Set<Int> {
    Set(([self.leader.peer] + self.followers.map(\.peer)).compactMap(\.port))
  }

  /// Lets everybody ask everybody at the same moment, so that both ends of each pair dial.
  func askForVotes() async throws {
    self.leader.askForVotes(.votesAndPreVotes, of: self.followers.map(\.peer), pause: VotePause.leader)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for follower in self.followers {
        let others = [self.leader.peer] + self.followers.map(\.peer).filter { $0 != follower.peer }
        group.addTask { try await follower.askForPreVotes(of: others) }
      }
      try await group.waitForAll()
    }
  }

  /// What all nodes see, the leader's view first; a node that does not answer is left out.
  func observe() async -> ClusterObservation {
    var observation = ClusterObservation(nodes: [self.leader.peer.id: await self.leader.observe()])
    for follower in self.followers { observation.nodes[follower.peer.id] = try? await follower.observe() }
    if let table = SocketTable.current() { observation.count(in: table, self.peers) }
    return observation
  }

  /// Ends all asking for votes; returns what the nodes see after the last answers, and what went wrong.
  func finish() async -> (ClusterObservation, failures: [String]) {
    async let leaderStops: Void = self.leader.stopAsking()
    var observation = ClusterObservation(nodes: [:])
    var failures: [String] = []
    for follower in self.followers {
      do {
        observation.nodes[follower.peer.id] = try await follower.finish()
      } catch {
        failures.append("\(error)")
      }
    }
    await leaderStops
    observation.nodes[self.leader.peer.id] = await self.leader.observe()
    if let table = SocketTable.current() { observation.count(in: table, self.peers) }
    return (observation, failures)
  }

  /// Closes all nodes, the followers first; returns what they left open and what went wrong.
  @discardableResult
  func closeAll() async -> (leftOver: [String], failures: [String]) {
    var leftOver: [String] = []
    var failures: [String] = []
    for follower in self.followers {
      do {
        let descriptors = try await follower.close() ?? []
        leftOver += descriptors.map { "\(follower.peer.id): \($0)" }
      } catch {
        failures.append("\(error)")
      }
    }
    await self.leader.close()
    return (leftOver, failures)
  }

  private var peers: [Peer] { [self.leader.peer] + self.followers.map(\.peer) }
}

/// What the nodes and the operating system see at one moment.
struct ClusterObservation: Sendable, Equatable {
  /// By the nodes' IDs.
  var nodes: [String: NodeObservation]
  /// `nil` where the system does not say.
  var connections: ConnectionCount?

  /// Counts the connections between the nodes in the system's table.
  mutating func count(in table: SocketTable, _ peers: [Peer]) {
    let nodes = peers.compactMap { peer in
      peer.port.map { port in
        ConnectionCount.Node(
          id: peer.id, listenerPort: port,
          diallingPorts: Set((self.nodes[peer.id]?.connections ?? []).filter(\.isDialled).map(\.localPort)))
      }
    }
    self.connections = ConnectionCount(table: table, nodes: nodes)
  }
}
