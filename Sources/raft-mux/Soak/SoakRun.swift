import Foundation
import NIOCore
import NIOPosix
import RaftTransport
import RaftTransportTesting

/// Runs a soak: rounds of load and faults, with a look at what is left behind each of them.
struct SoakRun {
  private let settings: SoakSettings
  private let ledger = SoakLedger()
  private let faults = SoakTally()

  init(_ settings: SoakSettings) {
    self.settings = settings
  }

  /// - Parameter say: Takes a line of progress.
  func run(_ say: (String) -> Void) async throws -> SoakReport {
    await OpenDescriptors.settleRuntime()
    // The threads that all transports and links share are made when they are first used, and stay.
    for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { try await loop.submit {}.get() }
    let before = OpenDescriptors.current()
    var nodes: [SoakNode] = []
    for index in 0..<settings.nodeCount { nodes.append(try await SoakNode.start(index, ledger: ledger)) }
    say("seed \(settings.seed): \(settings.rounds) rounds of \(settings.roundLength)")
    var samples: [SoakSample] = []
    for round in 1...settings.rounds {
      await work(nodes, round: UInt64(round))
      try await calmDown(nodes)
      var (connections, streams) = (0, 0)
      for node in nodes {
        connections += await node.transport.statistics().connections.count
        streams += await node.busyness()
      }
      let sample = SoakSample(round: round, connections: connections, streams: streams, ledger.figures)
      samples.append(sample)
      say(sample.line)
    }
    for node in nodes {
      await node.close()
      await node.link.close()
    }
    return SoakReport(
      seed: settings.seed, seconds: settings.duration / .seconds(1), nodes: settings.nodeCount,
      figures: ledger.figures, faults: faults.all, samples: samples,
      problems: ledger.problems + SoakSample.problems(samples) + (await leftDescriptors(before)))
  }

  private func work(_ nodes: [SoakNode], round: UInt64) async {
    let stop = SoakStop()
    await withTaskGroup { group in
      var stream = round * 1_000
      for from in nodes {
        for to in nodes where to.id != from.id {
          let caller = SoakCaller(from: from, to: to, ledger: ledger, stop: stop)
          stream += 1
          group.addTask { [stream] in await caller.run(seed: settings.seed, stream: stream) }
        }
      }
      let faults = SoakFaults(nodes: nodes, ledger: ledger, stop: stop, tally: faults)
      group.addTask { await faults.run(seed: settings.seed, stream: round) }
      // The one clock of a soak: how long it works.
      try? await Task.sleep(for: settings.roundLength)
      stop.set()
    }
  }

  /// Nothing is called any more. Streams end, and then the connections, so that what is left is the same each time.
  private func calmDown(_ nodes: [SoakNode]) async throws {
    for node in nodes { try await node.link.heal() }
    try await waitFor("streams to end") {
      var streams = 0
      for node in nodes { streams += await node.busyness() }
      return streams == 0
    }
    ledger.settle()
    for node in nodes { await node.transport.closeStreams() }
    try await waitFor("connections to end") {
      for node in nodes {
        if await !node.transport.statistics().connections.isEmpty { return false }
        if try await node.link.figures().openConnections > 0 { return false }
      }
      return true
    }
  }

  /// Nobody says when the last of many things has ended, so it is looked at now and then.
  private func waitFor(_ what: String, _ isSo: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while try await !isSo() {
      guard ContinuousClock.now < deadline else { return ledger.note("waited in vain for \(what)") }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  private func leftDescriptors(_ before: [Int: String]?) async -> [String] {
    let leftovers = await Leftovers.settle(ports: [], processes: [], before: before)
    return (leftovers.descriptors ?? []).map { "left open: \($0)" }
  }
}
