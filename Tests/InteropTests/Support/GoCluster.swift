import Foundation
import Testing

/// Nodes of hashicorp/raft that find each other through relays only.
final class GoCluster {
  let names: [String]
  private(set) var nodes: [String: GoPeer] = [:]
  private var relays: [String: Relay] = [:]

  struct NodeState: Decodable, Equatable {
    var role: String
    var leader: String
    var applied: Int
    var hash: String
    /// How many snapshots it was restored from.
    var restored: Int
  }

  private init(_ names: [String]) { self.names = names }

  /// Starts the nodes and makes a cluster of them.
  static func withNodes(_ names: [String], _ body: (GoCluster) async throws -> Void) async throws {
    let cluster = GoCluster(names)
    do {
      for name in names {
        cluster.relays[name] = try await Relay(node: name)
      }
      for name in names { try await cluster.start(name) }
      struct Members: Encodable { let members: [Member] }
      struct Member: Encodable {
        let server: String
        let address: String
      }
      try await cluster.node(names[0]).perform(
        "bootstrap",
        Members(members: try names.map { Member(server: $0, address: try cluster.relay($0).address) }))
      try await body(cluster)
    } catch {
      await cluster.end()
      throw error
    }
    await cluster.end()
  }

  private func end() async {
    for node in nodes.values { await node.end() }
    for relay in relays.values { await relay.close() }
  }

  func relay(_ name: String) throws -> Relay { try #require(relays[name]) }

  private func node(_ name: String) throws -> GoPeer { try #require(nodes[name]) }

  /// Starts a node with empty stores.
  func start(_ name: String) async throws {
    struct Options: Encodable {
      let server: String
      let electionMilliseconds = 1500
      let trailingLogs = 64
    }
    let relay = try relay(name)
    var listening = GoListening(transport: .rmux, server: name)
    listening.advertise = relay.address
    listening.timeoutMilliseconds = 5000
    let (peer, address) = try await GoPeer.listening(listening)
    try await peer.perform("node", Options(server: name))
    nodes[name] = peer
    relay.lead(to: address)
  }

  /// Ends a node's process as a loss of power would.
  func kill(_ name: String) async throws {
    let peer = try node(name)
    nodes[name] = nil
    try relay(name).lead(to: nil)
    await peer.kill()
  }

  /// Keeps what others send from a node.
  func cutOff(_ name: String) throws -> () -> Void {
    let relay = try relay(name)
    let address = relay.destination
    relay.lead(to: nil)
    return { relay.lead(to: address) }
  }

  func state(of name: String) async throws -> NodeState {
    try await node(name).perform("state", [String: String]())
  }

  /// The members but one.
  func others(than name: String) -> [String] { names.filter { $0 != name } }

  /// Waits until one of the nodes leads, and gives its name.
  func leader() async throws -> String {
    var leader: String?
    try await eventually("there is a leader") {
      for name in nodes.keys.sorted() where try await state(of: name).role == "Leader" { leader = name }
      return leader != nil
    }
    return try #require(leader)
  }

  /// Applies entries wherever the leader is; a leader that is voted out half-way leaves the rest to its successor.
  func apply(_ count: Int, bytes: Int = 64, _ name: String) async throws {
    struct Options: Encodable {
      let count: Int
      let entryBytes: Int
      let name: String
    }
    struct Result: Decodable { let applied: Int }
    try await eventually("\(count) entries are applied") {
      do {
        let result: Result = try await node(try await leader()).perform(
          "apply", Options(count: count, entryBytes: bytes, name: name))
        return result.applied == count
      } catch is GoPeerError {
        return false
      }
    }
  }

  func compact(_ name: String) async throws { try await node(name).perform("compact") }

  func transferLeadership(to name: String) async throws {
    struct Options: Encodable {
      let server: String
      let address: String
    }
    let options = Options(server: name, address: try relay(name).address)
    try await eventually("\(name) leads") {
      let leader = try await leader()
      if leader == name { return true }
      // It fails while an election runs.
      try? await node(leader).perform("transfer", options)
      return try await state(of: name).role == "Leader"
    }
  }

  /// Waits until all nodes that run have the same state, of so many entries at least.
  func agreement(onAtLeast count: Int) async throws -> NodeState {
    var agreed: NodeState?
    try await eventually("all nodes have the same state of \(count) entries") {
      var states: [NodeState] = []
      for name in nodes.keys.sorted() { states.append(try await state(of: name)) }
      guard let first = states.first, first.applied >= count else { return false }
      guard states.allSatisfy({ $0.hash == first.hash && $0.applied == first.applied }) else { return false }
      agreed = first
      return true
    }
    return try #require(agreed)
  }
}
