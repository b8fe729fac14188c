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

    var median: Duration { votes.sorted()[votes.count / 2] }
    var high: Duration { votes.sorted()[votes.count * 99 / 100] }
  }

  /// A friend that votes, appends and pipelines until it is told to stop; any error fails the test.
  private func use(
    _ server: MuxTransport, from friend: MuxTransport, rounds: Int, until isOver: @Sendable () -> Bool
  ) async throws -> Service {
    var service = Service()
    let pipeline = try await friend.appendEntriesPipeline(id: "b", target: server.localAddress)
    let answers = pipeline.consumer.makeAsyncIterator()
    var number: UInt64 = 0
    while service.votes.count < rounds || !isOver() {
      number += 1
      let pipelined = try await pipeline.appendEntries(numbered(number))
      let start = ContinuousClock.now
      let vote = try await friend.requestVote(
        id: "b", target: server.localAddress,
        RequestVoteRequest(term: number, lastLogIndex: 1, lastLogTerm: 1))
      service.votes.append(ContinuousClock.now - start)
      #expect(vote.granted && vote.term == number)
      try await friend.proveCall(to: server, as: "b", number: number)
      #expect(await answers.next() === pipelined)
      #expect(try await pipelined.response.lastLog == number + 1)
      service.appends += 2
    }
    await pipeline.close()
    return service
  }

  @Test("A cluster on a node that is attacked in every way at once loses nothing")
  func together() async throws {
    let log = LogCapture()
    let server = try await listen("b", logger: log.logger)
    let friends = [try await listen("a"), try await listen("c")]
    let echoes = ([server] + friends).map { EchoConsumer($0) }
    try await closing(server, friends[0], friends[1]) {
      let undisturbed = try await use(server, from: friends[0], rounds: 300) { true }
      for friend in friends { try await friend.proveCall(to: server, as: "b") }
      let before = await server.statistics().events

      let attacks = Sign()
      async let first = use(server, from: friends[0], rounds: 300) {
        attacks.areOver.load(ordering: .relaxed)
      }
      async let second = use(server, from: friends[1], rounds: 300) {
        attacks.areOver.load(ordering: .relaxed)
      }
      let rounds = 3
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
      attacks.areOver.store(true, ordering: .relaxed)
      let services = [try await first, try await second]

      let events = await server.statistics().events
      let violations = events.violations.values.reduce(0, +)
      let expected = LimitAttack.all.count { $0.code != .flowControl } * rounds + 160
      #expect(Int(violations) >= expected, "\(events)")
      #expect(events.dialled == before.dialled)
      for friend in friends {
        let statistics = await friend.statistics()
        #expect(statistics.connections.count == 1)
        #expect(statistics.events.established == 1, "it never lost its connection")
      }
      let votes = services.flatMap(\.votes).sorted()
      func ratio(_ one: Duration, _ other: Duration) -> Double { (one / other * 100).rounded() / 100 }
      print(
        "votes under \(violations) violations, as multiples of the undisturbed: median "
          + "\(ratio(votes[votes.count / 2], undisturbed.median)), p99 "
          + "\(ratio(votes[votes.count * 99 / 100], undisturbed.high)); \(votes.count) votes and "
          + "\(services.map(\.appends).reduce(0, +)) appends, none lost (undisturbed median "
          + "\(undisturbed.median), p99 \(undisturbed.high))")
    }
    for echo in echoes { await echo.stop() }
  }
}
