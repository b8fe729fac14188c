import NIOCore
import RaftTransport
import RaftWire
import Testing

/// Three servers of the old protocol are replaced by such that prefer RMUX, one after the other, while all of them call
/// each other.
@Suite(.serialized) struct RollingUpgradeTests {
  private static let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]

  /// One server: its transport and the task that answers.
  private final class Node: Sendable {
    let transport: MuxTransport
    private let serving: Task<Void, Never>

    init(_ transport: MuxTransport, number: Int, log: TrafficLog) {
      self.transport = transport
      serving = Task {
        for await rpc in transport.consumer {
          guard case .appendEntries(let request, let responder) = rpc.command else {
            rpc.fail("unexpected command")
            continue
          }
          // The term names the caller.
          log.received(request.previousLogIndex, .init(from: Int(request.term) - 1, to: number))
          responder.succeed(
            AppendEntriesResponse(term: request.term, lastLog: request.previousLogIndex, success: true))
        }
      }
    }

    func close() async {
      await transport.close()
      await serving.value
    }
  }

  /// The servers as they are now.
  private actor Cluster {
    var nodes: [Node?]

    init(_ nodes: [Node]) { self.nodes = nodes }

    func set(_ node: Node?, at number: Int) { nodes[number] = node }

    func transport(_ number: Int) -> MuxTransport? { nodes[number]?.transport }
  }

  @Test(
    "servers are upgraded in any order, and only calls on connections that were closed fail",
    arguments: orders)
  func upgrade(order: [Int]) async throws {
    let log = TrafficLog()
    var addresses: [ServerAddress] = []
    var nodes: [Node] = []
    for number in 0..<3 {
      let transport = try await listen("node-\(number)", .classicOnly)
      addresses.append(transport.localAddress)
      nodes.append(Node(transport, number: number, log: log))
    }
    let cluster = Cluster(nodes)
    let pairs = (0..<3).flatMap { from in
      (0..<3).filter { $0 != from }.map { TrafficLog.Pair(from: from, to: $0) }
    }
    let callers = pairs.map { pair in
      Task { [addresses] in await Self.callAgainAndAgain(pair, addresses[pair.to], cluster, log) }
    }
    let outcome: Result<Void, any Error>
    do {
      try await settle(pairs, log)
      for number in order {
        log.beginEpoch(of: number, among: 3)
        let old = await cluster.nodes[number]
        await cluster.set(nil, at: number)
        await old?.close()
        let transport = try await listenAgain("node-\(number)", on: addresses[number])
        await cluster.set(Node(transport, number: number, log: log), at: number)
        try await settle(pairs, log)
      }
      for node in await cluster.nodes {
        let protocols = await node?.transport.statistics().connections.filter(\.carriesCalls).map(
          \.peerProtocol)
        #expect(protocols?.allSatisfy { $0 == .rmux } == true, "all have arrived")
      }
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    for caller in callers { caller.cancel() }
    for caller in callers { await caller.value }
    for node in await cluster.nodes { await node?.close() }
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
    _ pair: TrafficLog.Pair, _ address: ServerAddress, _ cluster: Cluster, _ log: TrafficLog
  ) async {
    var number: UInt64 = 0
    while !Task.isCancelled {
      // While the caller itself is being replaced there is nobody to call.
      guard let transport = await cluster.transport(pair.from) else {
        await Task.yield()
        continue
      }
      number += 1
      let request = AppendEntriesRequest(
        term: UInt64(pair.from) + 1, previousLogIndex: number, previousLogTerm: 1, leaderCommitIndex: 1)
      do {
        let answer = try await transport.appendEntries(
          id: ServerID("node-\(pair.to)"), target: address, request)
        #expect(answer.lastLog == number)
        log.succeeded(number, pair)
      } catch {
        if Task.isCancelled { return }
        log.failed(number, pair, error)
      }
    }
  }
}
