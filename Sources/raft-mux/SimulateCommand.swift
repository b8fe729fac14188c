import ArgumentParser
import RaftTransport
import RaftTransportTesting

/// `raft-mux simulate`.
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Runs clusters of transports on a virtual clock and a simulated network, each from a seed.",
    discussion: """
      The transports are the real ones; clock, network and chance are not. Servers call each other, send pipelines and \
      snapshots, die and come back, while paths are blocked one way or both, slow, or cut; at the end the network heals \
      and everything has to be in order. A seed and a number of steps always give the same run. Fails if anything was \
      wrong.
      """
  )

  @Option(help: "The first seed.")
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("How many seeds to run, one after the other.", valueName: "count"))
  var seeds: UInt64 = 1

  @Option(help: ArgumentHelp("Things that are done before the end.", valueName: "count"))
  var steps = 60

  @Option(
    help: ArgumentHelp("How many servers there are, 2 to 7; otherwise the seed says.", valueName: "count"))
  var servers: Int?

  @Flag(help: "Print all that happens.")
  var trace = false

  #if DEBUG
    @Option(help: ArgumentHelp("A fault to build into every server.", valueName: "name"))
    var fault: PlantedFault?
  #endif

  func validate() throws {
    guard steps >= 0 else { throw ValidationError("--steps is 0 or more.") }
    guard seeds >= 1, seed <= .max - seeds else { throw ValidationError("--seeds is 1 or more.") }
    guard (2...7).contains(servers ?? 2) else { throw ValidationError("--servers is 2 to 7.") }
  }

  func run() throws {
    var failures: [UInt64] = []
    for seed in seed..<seed + seeds {
      var options = SimulationOptions(seed: seed, steps: steps, servers: servers)
      #if DEBUG
        options.plantedFault = fault
      #endif
      let report = ClusterSimulation(options, trace: trace ? { print($0) } : nil).run()
      print(Self.summary(seed, report))
      for problem in report.problems { print("  \(problem)") }
      if !report.problems.isEmpty { failures.append(seed) }
    }
    guard failures.isEmpty else {
      print(
        "\(failures.count) of \(seeds) seeds failed: \(failures.prefix(10).map(String.init).joined(separator: ", "))"
      )
      throw ExitCode.failure
    }
  }

  private static func summary(_ seed: UInt64, _ report: SimulationReport) -> String {
    let verdict = report.problems.isEmpty ? "well" : "FAILED"
    return
      "seed \(seed): \(verdict); \(report.servers) servers, \(report.calls) calls, \(report.answered) answered, "
      + "\(Int(report.virtualSeconds)) s, \(report.events) events, digest \(String(report.digest, radix: 16))"
  }
}

#if DEBUG
  extension PlantedFault: ExpressibleByArgument {}
#endif
