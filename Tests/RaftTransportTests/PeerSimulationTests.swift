import Foundation
import NIOCore
import Testing

@testable import RaftTransport

/// Simulated clusters in trouble, each run from one seed: the main test of who is connected with whom.
///
/// `RAFT_MUX_SEEDS=5000` runs more seeds, `RAFT_MUX_SEED=17` one of them.
@Suite("A simulated cluster")
struct PeerSimulationTests {
  static let seeds: [UInt64] = {
    let environment = ProcessInfo.processInfo.environment
    if let one = environment["RAFT_MUX_SEED"].flatMap(UInt64.init) { return [one] }
    return Array(1...(environment["RAFT_MUX_SEEDS"].flatMap(UInt64.init) ?? 100))
  }()

  static func problems(seed: UInt64, _ options: PeerSimulation.Options) -> [String] {
    let simulation = PeerSimulation(seed: seed, options: options)
    simulation.runAll()
    return simulation.problems
  }

  @Test("a pair recovers from any trouble with one connection", arguments: seeds)
  func pairRecovers(seed: UInt64) {
    let problems = Self.problems(seed: seed, PeerSimulation.Options())
    #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(5))")
  }

  @Test("a pair of which one or both cannot be checked recovers with one connection a side", arguments: seeds)
  func hiddenPairRecovers(seed: UInt64) {
    var options = PeerSimulation.Options()
    options.hiddenServers = [[0], [1], [0, 1]][Int(seed % 3)]
    let problems = Self.problems(seed: seed, options)
    #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(5))")
  }

  @Test("a pair whose addresses can be checked only at times recovers", arguments: seeds)
  func unsurePairRecovers(seed: UInt64) {
    var options = PeerSimulation.Options()
    options.failedChecksPerMille = 300
    let problems = Self.problems(seed: seed, options)
    #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(5))")
  }

  @Test("three to five servers recover", arguments: seeds.prefix(max(1, seeds.count / 5)))
  func clusterRecovers(seed: UInt64) {
    var options = PeerSimulation.Options()
    options.servers = 3 + Int(seed % 3)
    options.faultsPerSecond = 3
    options.callsPerSecond = 20
    options.trouble = .seconds(6)
    let problems = Self.problems(seed: seed, options)
    #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(5))")
  }

  @Test("a pair without faults has one connection at once, whoever calls first", arguments: seeds)
  func quietPairConnects(seed: UInt64) {
    var options = PeerSimulation.Options()
    options.faultsPerSecond = 0
    options.earlyCutsPerMille = 0
    options.trouble = .seconds(1)
    let problems = Self.problems(seed: seed, options)
    #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(5))")
  }

  @Test("a server that lost its connections without a word is welcome again at once", arguments: seeds)
  func lostServerReturns(seed: UInt64) {
    for lost in [0, 1] {
      var options = PeerSimulation.Options()
      options.earlyCutsPerMille = 0
      let simulation = PeerSimulation(seed: seed, options: options)
      simulation.isTroubled = false
      simulation.connectBoth()
      simulation.run(for: .seconds(4))
      simulation.loseEverything(lost, restarts: seed % 2 == 0)
      simulation.run(for: .milliseconds(100))
      simulation.isSettled = true
      let other = simulation.servers[1 - lost]
      simulation.call(from: lost, id: other.id, address: other.address)
      // A probe of a second, two handshakes on a path that may be slow, and some time to spare; the engines
      // themselves would notice after five seconds.
      simulation.run(for: .milliseconds(3_500))
      simulation.checkNoCallIsStuck(longerThan: .zero, "after the loss")
      simulation.checkSettledCalls()
      simulation.checkTables()
      #expect(simulation.problems.isEmpty, "seed \(seed), server \(lost): \(simulation.problems.prefix(5))")
    }
  }

  @Test("two servers that dial each other at once lose no time", arguments: seeds)
  func simultaneousDials(seed: UInt64) {
    for hidden in [[], [0], [1], [0, 1]] as [Set<Int>] {
      var options = PeerSimulation.Options()
      options.hiddenServers = hidden
      // No three messages overtake one.
      options.leastDelay = 7_000
      options.slowMessagesPerMille = 0
      let simulation = PeerSimulation(seed: seed, options: options)
      simulation.isTroubled = false
      simulation.connectBoth()
      // Two handshakes of messages that take up to 20 ms, and a resolver that takes up to 40 ms.
      simulation.run(for: .milliseconds(400))
      simulation.checkNoCallIsStuck(longerThan: .zero, "in the end")
      simulation.checkSettledCalls()
      #expect(simulation.problems.isEmpty, "seed \(seed), hidden \(hidden): \(simulation.problems.prefix(5))")
    }
  }

  @Test("connections that fall silent in the handshake keep no pair apart", arguments: seeds)
  func silentHandshakes(seed: UInt64) {
    var options = PeerSimulation.Options()
    options.slowMessagesPerMille = 0
    let simulation = PeerSimulation(seed: seed, options: options)
    simulation.isTroubled = false
    simulation.silenceAfter = [Int(seed % 4), Int(seed / 4 % 4)].prefix(1 + Int(seed / 16 % 2)).map { $0 }
    simulation.connectBoth()
    // The handshake's five seconds, and the time in which a call waits for a winner that does not come.
    simulation.run(for: .milliseconds(7_500))
    simulation.checkNoCallIsStuck(longerThan: .zero, "after the silence")
    #expect(simulation.dialCount <= 14, "seed \(seed): attempts follow each other without a pause")
    simulation.run(for: .seconds(5))
    simulation.isSettled = true
    simulation.connectBoth()
    simulation.run(for: .milliseconds(500))
    simulation.checkNoCallIsStuck(longerThan: .zero, "in the end")
    #expect(simulation.problems.isEmpty, "seed \(seed): \(simulation.problems.prefix(5))")
  }

  @Test("the same seed gives the same run", arguments: [1, 2, 3] as [UInt64])
  func repeats(seed: UInt64) {
    func digest(_ seed: UInt64) -> UInt64 {
      var options = PeerSimulation.Options()
      options.servers = 3
      options.failedChecksPerMille = 100
      let simulation = PeerSimulation(seed: seed, options: options)
      simulation.runAll()
      return simulation.digest
    }
    #expect(digest(seed) == digest(seed), "seed \(seed)")
    #expect(digest(seed) != digest(seed + 100), "seeds \(seed) and \(seed + 100)")
  }
}
