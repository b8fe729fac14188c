import ArgumentParser
import Foundation

/// `raft-mux soak`.
struct SoakCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "soak",
    abstract:
      "Runs nodes under load and faults for a long time and checks that nothing is lost, doubled or left over.",
    discussion: """
      Nodes in this process call each other through emulated links, by pipelines, single calls and snapshots, while \
      connections are cut, reset, stalled, swallowed and corrupted and nodes are restarted. Each request is made from \
      its number, so that whoever gets it can tell whether every byte is right, and a ledger holds what came of it: \
      for every answer the request was processed exactly once, and what was reported as not delivered was never seen.

      The time is cut into rounds. Behind each, load and faults stop, and memory, descriptors and streams are looked \
      at. The exit status is 0 if all of that was in order, and 1 if not.
      """
  )

  @Option(help: ArgumentHelp("How long to run (0.05 to 1440).", valueName: "minutes"))
  var minutes = 10.0

  @Option(help: ArgumentHelp("How many nodes there are (2 to 7).", valueName: "number"))
  var nodes = 3

  @Option(help: ArgumentHelp("What all choices follow from. Without it: one by chance.", valueName: "number"))
  var seed: UInt64?

  @Flag(
    help:
      "Print one JSON object on standard output at the end and nothing else; progress is on standard error.")
  var json = false

  func validate() throws {
    guard (0.05...1_440).contains(minutes) else { throw ValidationError("--minutes is from 0.05 to 1440") }
    guard (2...7).contains(nodes) else { throw ValidationError("--nodes is from 2 to 7") }
  }

  func run() async throws {
    let settings = SoakSettings(
      duration: .seconds(minutes * 60), nodeCount: nodes, seed: seed ?? .random(in: .min ... .max))
    let report = try await SoakRun(settings).run { line in
      FileHandle.standardError.write(Data("\(line)\n".utf8))
    }
    if json {
      print(try report.json())
    } else {
      for line in report.lines { print(line) }
    }
    if !report.isGood { throw ExitCode(1) }
  }
}
