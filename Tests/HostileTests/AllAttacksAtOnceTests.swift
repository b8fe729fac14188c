import NIOCore
import RaftTransport
import RaftTransportTesting
import StreamMux
import Synchronization
import Testing

@Suite("All attacks at once", .serialized, .timeLimit(.minutes(10)))
struct AllAttacksAtOnceTests {
  private final class Sign: Sendable {
    let areOver = Atomic(false)
  }

  /// How long the votes of a friend take, and what it lost.
  private struct Service: Sendable {
    var votes: [Duration] = []
    var appends = 0
  }

  /// One server votes at another, appends and pipelines until it is told to stop; any error fails the test.
  private func use(
    _ server: MuxTransport, as id: ServerID, from friend: MuxTransport, rounds: Int,
    until isOver: @Sendable () -> Bool
  ) async throws -> Service {
    var service = Service()
    let pipeline = try await friend.appendEntriesPipeline(id: id, target: server.localAddress)
    let answers = pipeline.consumer.makeAsyncIterator()
    var number: UInt64 = 0
    while service.votes.count < rounds || !isOver() {
      number += 1
      let pipelined = try await pipeline.appendEntries(numbered(number))
      let start = ContinuousClock.now
      let vote = try await friend.requestVote(
        id: id, target: server.localAddress,
        RequestVoteRequest(term: number, lastLogIndex: 1, lastLogTerm: 1))
      service.votes.append(ContinuousClock.now - start)
      #expect(vote.granted && vote.term == number)
      try await friend.proveCall(to: server, as: id, number: number)
      #expect(await answers.next() === pipelined)
      #expect(try await pipelined.response.lastLog == number + 1)
      service.appends += 2
    }
    await pipeline.close()
    return service
  }

  /// Every server uses every other one, and one sends snapshots to the victim meanwhile.
  private func useAll(
    _ cluster: [(id: ServerID, server: MuxTransport)], rounds: Int,
    until isOver: @escaping @Sendable () -> Bool
  ) async throws -> (services: [Service], snapshots: Int) {
    async let snapshots = sendSnapshots(from: cluster[0].server, to: cluster[1].server, until: isOver)
    let services = try await withThrowingTaskGroup(of: Service.self) { group in
      for (id, server) in cluster {
        for (otherID, other) in cluster where otherID != id {
          group.addTask { try await use(server, as: id, from: other, rounds: rounds, until: isOver) }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    return (services, try await snapshots)
  }

  private func sendSnapshots(
    from friend: MuxTransport, to server: MuxTransport, until isOver: @Sendable () -> Bool
  ) async throws -> Int {
    let block = ByteBuffer(repeating: 0x5A, count: 1 << 20)
    var count = 0
    repeat {
      let response = try await friend.installSnapshot(
        id: "b", target: server.localAddress, InstallSnapshotRequest(term: 1, size: 8 << 20),
        data: SnapshotSource(Array(repeating: block, count: 8)))
      #expect(response.success)
      count += 1
    } while !isOver()
    return count
  }

  @Test("A cluster on a node that is attacked in every way at once loses nothing")
  func together() async throws {
    let log = LogCapture()
    let server = try await listen("b", logger: log.logger) {
      $0.limits.maximumMessageBytes = Onslaught.maximumMessageBytes
      // One address has 16 of them, which are there at once however slowly the attack gets on.
      $0.oldPeers.maximumConnections = 32
      // The attackers must all get as far as their attacks.
      $0.limits.handshakes = 512
      $0.limits.handshakesPerAddress = 128
    }
    let friends = [try await listen("a"), try await listen("c")]
    let echoes = ([server] + friends).map { EchoConsumer($0) }
    let cluster = [
      (id: "a" as ServerID, server: friends[0]), (id: "b", server: server), (id: "c", server: friends[1]),
    ]
    try await closing(server, friends[0], friends[1]) {
      // One connection for each pair, by whoever comes first.
      try await friends[0].proveCall(to: server, as: "b")
      try await friends[1].proveCall(to: server, as: "b")
      try await friends[0].proveCall(to: friends[1], as: "c")
      let undisturbed = try await useAll(cluster, rounds: 200) { true }
      let before = await server.statistics().events
      for friend in friends { #expect(await friend.statistics().events.established == 2) }

      let attacks = Sign()
      async let used = useAll(cluster, rounds: 200) { attacks.areOver.load(ordering: .relaxed) }
      let rounds = 3
      do {
        defer { attacks.areOver.store(true, ordering: .relaxed) }
        try await attack(server, rounds: rounds)
      }
      let (services, snapshots) = try await used

      let events = await server.statistics().events
      let violations = events.violations.values.reduce(0, +)
      let expected = LimitAttack.all.count { $0.code != .flowControl } * rounds + 160
      #expect(Int(violations) >= expected, "\(events)")
      #expect(events.dialled == before.dialled)
      #expect(events.unreadableRequests >= 6, "messages of either protocol that are none")
      let turnedAway = events.refusals["tooManyOldPeers", default: 0]
      #expect(turnedAway > 0, "more old peers than one address may be")
      #expect(events.closures["silent", default: 0] + turnedAway >= 200, "old peers without a request")
      for friend in friends {
        let statistics = await friend.statistics()
        #expect(statistics.connections.count == 2)
        #expect(statistics.events.established == 2, "it never lost a connection")
      }
      report(services, undisturbed.services, snapshots: snapshots, violations: violations)
    }
    for echo in echoes { await echo.stop() }
  }

  /// Everything at once, to its end.
  private func attack(_ server: MuxTransport, rounds: Int) async throws {
    try await withThrowingTaskGroup { group in
      for (index, attack) in LimitAttack.all.enumerated() {
        group.addTask {
          for round in 0..<rounds {
            let peer = try await RawPeer.established(
              to: server.localAddress, as: "hostile\(index)", incarnation: UInt64(round + 1))
            try await attack.carryOut(peer, 1)
            // With handlers that answer, what lies behind a request is no excess but a bad request.
            if attack.code != .flowControl {
              #expect(try await peer.nextEnd() == attack.code, "\(attack.name)")
            }
            await peer.close()
          }
        }
      }
      for onslaught in Onslaught.all {
        group.addTask { try await onslaught.carryOut(server.localAddress) }
      }
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<20 {
            let stranger = try await RawPeer.connect(to: server.localAddress)
            await stranger.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
            _ = await stranger.remainingBytes()
            await stranger.close()
          }
        }
      }
      // Those who say nothing at all hold their places until they are given up.
      group.addTask {
        var silent: [RawPeer] = []
        for _ in 0..<32 { silent.append(try await RawPeer.connect(to: server.localAddress)) }
        for stranger in silent { _ = await stranger.remainingBytes() }
      }
      try await group.waitForAll()
    }
  }

  private func report(_ services: [Service], _ undisturbed: [Service], snapshots: Int, violations: UInt64) {
    func quantile(_ services: [Service], _ percent: Int) -> Duration {
      let votes = services.flatMap(\.votes).sorted()
      return votes[votes.count * percent / 100]
    }
    func ratio(_ percent: Int) -> Double {
      (quantile(services, percent) / quantile(undisturbed, percent) * 100).rounded() / 100
    }
    print(
      "votes under \(violations) violations, as multiples of the undisturbed: median \(ratio(50)), p99 "
        + "\(ratio(99)); \(services.map(\.votes.count).reduce(0, +)) votes, "
        + "\(services.map(\.appends).reduce(0, +)) appends and \(snapshots) snapshots of 8 MiB between three "
        + "servers, none lost (undisturbed median \(quantile(undisturbed, 50)), p99 "
        + "\(quantile(undisturbed, 99)))")
  }
}
