import ArgumentParser
import Foundation

/// `raft-mux bench`.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures the transport on loopback, alone or beside others.",
    discussion: """
      Client and server are two processes. Each measurement has a connection of its own and a warm-up; the systems \
      take turns, round by round, and the table gives the median and the range of the rounds. Ratios are taken \
      within each round. What the server gets it reads and sums up, and the client checks the sums.

      With --peers the same is asked of hashicorp/raft's NetworkTransport over TCP, yamux and smux, of plain TCP, \
      and of two bare NIO handlers. hashicorp/raft of before 1.4 has no depth to set: there the callers keep no \
      more under way than the depth. Its pool holds 64 connections, and its windows are those of yamux's defaults \
      and of smux's version 2 with its defaults.
      """
  )

  @Option(
    help: ArgumentHelp(
      "Measure only this; may be repeated. 'snapshot' stands for everything that begins like it.",
      valueName: "workload"))
  var only: [String] = []

  @Option(help: ArgumentHelp("How often each measurement is made (1 to 100).", valueName: "number"))
  var rounds = 5

  @Option(help: ArgumentHelp("How long each measurement takes (0.05 to 60).", valueName: "seconds"))
  var seconds = 1.0

  @Option(help: ArgumentHelp("The size of a snapshot, such as 64M.", valueName: "size"))
  var snapshotSize = ByteSize(count: 64 << 20)

  @Flag(help: "Measure other transports, too; needs Go and Debian's packages of the libraries.")
  var peers = false

  @Flag(help: "Print each measurement as one line of JSON instead of a table.")
  var json = false

  @Flag(help: "Name the workloads and do nothing.")
  var list = false

  func validate() throws {
    guard (1...100).contains(self.rounds) else { throw ValidationError("--rounds is from 1 to 100") }
    guard (0.05...60).contains(self.seconds) else { throw ValidationError("--seconds is from 0.05 to 60") }
    guard (1...(4 << 30)).contains(self.snapshotSize.count) else {
      throw ValidationError("--snapshot-size is from 1 byte to 4G")
    }
  }

  func run() async throws {
    let workloads = try WorkloadChoice.workloads(named: self.only)
    if self.list {
      for workload in workloads { print("\(workload.name): \(workload.about)") }
      return
    }
    let plan = BenchRun.Plan(
      workloads: workloads, rounds: self.rounds, duration: .seconds(self.seconds))
    let work = Task { try await self.measure(plan) }
    let interruption = Interruption(onFirst: { work.cancel() }, onSecond: {})
    Interruption.ignoreBrokenPipes()
    defer { withExtendedLifetime(interruption) {} }
    if try await !work.value { throw ExitCode(1) }
  }

  /// Whether everything could be measured.
  private func measure(_ plan: BenchRun.Plan) async throws -> Bool {
    let files = try SnapshotFiles(size: self.snapshotSize.count)
    defer { files.remove() }
    let field = try await BenchField.open(files: files, withPeers: self.peers)
    for line in field.missing { self.tell(line) }
    self.tell(Machine.current.text)
    if self.json {
      print(String(decoding: try PeerLines.encode(Machine.current), as: UTF8.self), terminator: "")
    }
    let run = BenchRun(plan: plan, systems: field.systems)
    let results = await run.run { outcome in
      switch outcome {
      case .success(let measurement):
        if self.json, let line = try? PeerLines.encode(measurement) {
          print(String(decoding: line, as: UTF8.self), terminator: "")
        } else {
          self.tell("\(measurement.workload), \(measurement.system), round \(measurement.round)")
        }
      case .failure(let gap):
        self.tell("\(gap.workload), \(gap.system): not measured: \(gap.reason)")
      }
    }
    await field.close()
    if !self.json {
      print(Machine.current.text)
      for line in field.missing { print(line) }
      let table = BenchTable(reference: MuxSystem.name)
      for line in table.lines(results, workloads: plan.workloads) { print(line) }
    }
    return results.gaps.isEmpty && !Task.isCancelled
  }

  /// Progress and troubles go to standard error, so that figures can be piped.
  private func tell(_ line: String) {
    try? FileHandle.standardError.write(contentsOf: Data("\(line)\n".utf8))
  }
}
