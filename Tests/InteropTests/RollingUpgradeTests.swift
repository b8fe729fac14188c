import NIOCore
import RaftTransport
import Testing

/// Three servers of the classic protocol are replaced by such that prefer RMUX, one after the other, while all of them
/// call each other.
@Suite(.serialized) struct RollingUpgradeTests {
  private static let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]

  @Test("servers of this library are upgraded in any order", arguments: orders)
  func swiftServers(order: [Int]) async throws {
    try await upgrade(order) { number, log in
      try await SwiftNode(number, .classicOnly, on: "127.0.0.1:0", log)
    }
  }

  @Test(
    "servers of hashicorp/raft are replaced in any order",
    .enabled(if: GoProgram.isWanted, Comment(rawValue: GoProgram.skipped)), arguments: orders)
  func goServers(order: [Int]) async throws {
    try await upgrade(order) { number, log in try await GoNode(number, log) }
  }

  private func upgrade(
    _ order: [Int], from makeOld: (Int, TrafficLog) async throws -> any UpgradedNode
  ) async throws {
    let log = TrafficLog()
    var nodes: [any UpgradedNode] = []
    for number in 0..<3 { nodes.append(try await makeOld(number, log)) }
    let addresses = nodes.map(\.address)
    let cluster = UpgradedCluster(nodes)
    let pairs = (0..<3).flatMap { from in
      (0..<3).filter { $0 != from }.map { TrafficLog.Pair(from: from, to: $0) }
    }
    let callers = pairs.map { pair in
      Task { await Self.callAgainAndAgain(pair, addresses[pair.to], cluster, log) }
    }
    let outcome: Result<Void, any Error>
    do {
      try await settle(pairs, log)
      for number in order {
        log.beginEpoch(of: number, among: 3)
        await cluster.replace(number, by: nil)?.end()
        await cluster.replace(
          number, by: try await SwiftNode(number, .preferRMUX, on: addresses[number], log))
        try await settle(pairs, log)
      }
      for number in 0..<3 {
        let protocols = await (cluster.node(number) as? SwiftNode)?.protocolsOfCalls()
        #expect(protocols.map(Set.init) == [.rmux], "all have arrived")
      }
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    for caller in callers { caller.cancel() }
    for caller in callers { await caller.value }
    for number in 0..<3 { await cluster.node(number)?.end() }
    #expect(log.faults.isEmpty)
    try outcome.get()
  }

  /// Waits until every pair has called well many times.
  private func settle(_ pairs: [TrafficLog.Pair], _ log: TrafficLog) async throws {
    for pair in pairs {
      let before = log.successes(pair)
      try await eventually("calls from \(pair) succeed") { log.successes(pair) >= before + 20 }
    }
  }

  private static func callAgainAndAgain(
    _ pair: TrafficLog.Pair, _ address: ServerAddress, _ cluster: UpgradedCluster, _ log: TrafficLog
  ) async {
    var number: UInt64 = 0
    while !Task.isCancelled {
      // While the caller itself is being replaced there is nobody to call.
      guard let node = await cluster.node(pair.from) else {
        await Task.yield()
        continue
      }
      number += 1
      do {
        let answer = try await node.call(pair.to, at: address, number)
        #expect(answer == number)
        log.succeeded(number, pair)
      } catch {
        if Task.isCancelled { return }
        log.failed(number, pair, error)
      }
    }
  }
}

/// A server while it is upgraded.
private protocol UpgradedNode: Sendable {
  var address: ServerAddress { get }

  /// Sends a number to another one; the answer is the same number.
  func call(_ to: Int, at address: ServerAddress, _ number: UInt64) async throws -> UInt64

  func end() async
}

/// The servers as they are now.
private actor UpgradedCluster {
  private var nodes: [(any UpgradedNode)?]

  init(_ nodes: [any UpgradedNode]) { self.nodes = nodes }

  func node(_ number: Int) -> (any UpgradedNode)? { nodes[number] }

  /// Puts another one in a place; gives the one that was there.
  @discardableResult
  func replace(_ number: Int, by node: (any UpgradedNode)?) -> (any UpgradedNode)? {
    defer { nodes[number] = node }
    return nodes[number]
  }
}

private final class SwiftNode: UpgradedNode {
  private let number: Int
  private let transport: MuxTransport
  private let serving: Task<Void, Never>

  init(
    _ number: Int, _ choice: TransportConfiguration.ProtocolChoice, on address: ServerAddress,
    _ log: TrafficLog
  ) async throws {
    let transport = try await Self.listen(number, choice, on: address)
    self.number = number
    self.transport = transport
    serving = Task {
      for await rpc in transport.consumer {
        guard case .appendEntries(let request, let responder) = rpc.command else {
          rpc.fail("unexpected command")
          continue
        }
        // The term names the caller.
        log.received(request.previousLogIndex, .init(from: Int(request.term) - 1, to: number))
        responder.succeed(AppendEntriesResponse(lastLog: request.previousLogIndex, success: true))
      }
    }
  }

  /// Another test's connection may have been given the port meanwhile; then this waits until it is free again.
  private static func listen(
    _ number: Int, _ choice: TransportConfiguration.ProtocolChoice, on address: ServerAddress
  ) async throws -> MuxTransport {
    var configuration = TransportConfiguration(
      serverID: ServerID("node-\(number)"), clusterID: "interop", timeout: .seconds(120), logger: .interop)
    configuration.peerProtocol = choice
    var transport: MuxTransport?
    try await eventually("\(address) is free") {
      do {
        transport = try await MuxTransport.listen(on: address.rawValue, configuration: configuration)
      } catch let error as TransportError where error.code == .listenFailed {}
      return transport != nil
    }
    return try #require(transport)
  }

  var address: ServerAddress { transport.localAddress }

  func call(_ to: Int, at address: ServerAddress, _ number: UInt64) async throws -> UInt64 {
    let request = AppendEntriesRequest(
      term: UInt64(self.number) + 1, previousLogIndex: number, previousLogTerm: 1, leaderCommitIndex: 1)
    return try await transport.appendEntries(id: ServerID("node-\(to)"), target: address, request).lastLog
  }

  func protocolsOfCalls() async -> [PeerProtocol] {
    await transport.statistics().connections.filter(\.carriesCalls).map(\.peerProtocol)
  }

  func end() async {
    await transport.close()
    await serving.value
  }
}

private final class GoNode: UpgradedNode {
  private let number: Int
  private let peer: GoPeer
  let address: ServerAddress

  init(_ number: Int, _ log: TrafficLog) async throws {
    var listening = GoListening(transport: .classic, server: "node-\(number)")
    listening.report = true
    let (peer, address) = try await GoPeer.listening(listening) { receipt in
      log.received(receipt.prevLogEntry, .init(from: Int(receipt.term) - 1, to: number))
    }
    self.number = number
    self.peer = peer
    self.address = ServerAddress(address)
  }

  func call(_ to: Int, at address: ServerAddress, _ number: UInt64) async throws -> UInt64 {
    let request = GoRequest(
      term: UInt64(self.number) + 1, prevLogEntry: number, prevLogTerm: 1, leaderCommitIndex: 1)
    return try #require(
      try await peer.call("AppendEntries", at: address.rawValue, server: "node-\(to)", request).lastLog)
  }

  func end() async { await peer.end() }
}
