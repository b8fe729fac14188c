import ArgumentParser
import Foundation

/// `raft-mux bench`.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures the transport, alone or beside others.",
    discussion: """
      Client and server are two processes. Each measurement has a connection of its own and a warm-up; the systems \
      take turns, round by round, and the table gives the median and the range of the rounds. Ratios are taken \
      within each round. What the server gets it reads and sums up, and the client checks the sums.

      With --peers the same is asked of hashicorp/raft's NetworkTransport over TCP, yamux and smux, of plain TCP, \
      and of two bare NIO handlers. hashicorp/raft of before 1.4 has no depth to set: there the callers keep no \
      more under way than the depth. Its pool holds 64 connections, and its windows are those of yamux's defaults \
      and of smux's version 2 with its defaults.

      Over a network, or between two network namespaces: start 'raft-mux bench --serve HOST:PORT' at one end (with \
      --peers for the systems in Go) and 'raft-mux bench --connect HOST:PORT' at the other. Whoever reaches the \
      port can start measurements; keep it to a network of your own.

      --link needs no network: a relay with a rate, a delay and a queue stands before each answering process. It \
      relays TCP, so a full queue stops the sender instead of dropping packets, and congestion control has nothing \
      to do: what is measured is what waits behind what, and whether windows fill the path.
      """
  )

  @Option(
    help: ArgumentHelp(
      "Measure only this; may be repeated. 'snapshot' stands for everything that begins like it.",
      valueName: "workload"))
  var only: [String] = []

  @OptionGroup var options: EffortOptions

  @Flag(help: "Measure other transports, too; needs Go and Debian's packages of the libraries.")
  var peers = false

  @Option(
    name: .customLong("system"),
    help: ArgumentHelp(
      "Measure this system; may be repeated (\(SystemName.allCases.map(\.rawValue).joined(separator: ", "))).",
      valueName: "system"))
  var chosenSystems: [SystemName] = []

  @Option(
    help: ArgumentHelp(
      "Start answering processes here for a bench --connect elsewhere, until it is interrupted.",
      valueName: "host:port"))
  var serve: String?

  @Option(
    help: ArgumentHelp(
      "Have the answering processes run where bench --serve listens.", valueName: "host:port"))
  var connect: String?

  @Option(
    help: ArgumentHelp(
      "Put an emulated link before each answering process: \(LinkChoice.help).", valueName: "link"))
  var link: LinkChoice?

  @Option(
    help: ArgumentHelp(
      "Make this the congestion control of this network namespace for as long as it runs, for all connections.",
      valueName: "name"))
  var congestion: String?

  @Flag(
    help: """
      Count system calls and allocations in one more round (system calls need root and Linux, allocations glibc; \
      programs in Go count no allocations).
      """)
  var count = false

  @Flag(help: "Say at the end which of the transport's own bars are reached.")
  var bars = false

  @Flag(help: "Print each measurement as one line of JSON instead of a table.")
  var json = false

  @Option(help: ArgumentHelp("Write a page with tables and plots.", valueName: "file"))
  var report: String?

  @Option(
    help: ArgumentHelp("What the report and JSON say about the path between both sides.", valueName: "text"))
  var path: String?

  @Flag(help: "Name the workloads and the profiles of links, and do nothing.")
  var list = false

  private var systems: [SystemName] {
    if !chosenSystems.isEmpty { return SystemName.allCases.filter(chosenSystems.contains) }
    return peers ? SystemName.allCases : [.rmux]
  }

  func validate() throws {
    if serve != nil, connect != nil { throw ValidationError("--serve and --connect are for two processes") }
  }

  func run() async throws {
    let workloads = try WorkloadChoice.workloads(named: only)
    if list {
      for workload in workloads { print("\(workload.name): \(workload.about)") }
      print("\nLinks, for emulators between network namespaces (--serve, --connect):")
      for profile in PathProfile.all { print(profile.text) }
      return
    }
    let congestion = try congestion.map { try CongestionControl(named: $0) }
    defer { congestion?.restore() }
    let work = Task {
      if let serve { return try await answer(at: serve) }
      return try await measure(workloads)
    }
    let interruption = Interruption(onFirst: { work.cancel() }, onSecond: {})
    Interruption.ignoreBrokenPipes()
    defer { withExtendedLifetime(interruption) {} }
    if try await !work.value { throw ExitCode(1) }
  }

  /// Serves others until it is cancelled.
  private func answer(at address: String) async throws -> Bool {
    let goPeers = systems.allSatisfy(\.isBuiltIn) ? nil : await GoPeers.build()
    defer { goPeers?.remove() }
    for (system, reason) in goPeers?.missing ?? [] { tell("missing: \(system.rawValue): \(reason)") }
    let service = try await HostService.listen(at: address, goPeers: goPeers)
    tell("serving at \(service.address); \(Machine.current.text)")
    await service.run()
    return true
  }

  /// Whether everything could be measured.
  private func measure(_ workloads: [Workload]) async throws -> Bool {
    let files = try SnapshotFiles(size: options.snapshotSize.count)
    defer { files.remove() }
    let field = try await BenchField.open(systems, files: files, remote: connect, link: link)
    let isFar = connect != nil || link != nil
    let plan = BenchRun.Plan(
      workloads: workloads, rounds: options.rounds, effort: options.effort(isFar: isFar),
      warmUp: options.warmUp(isFar: isFar), isCounting: count)
    for line in field.missing { tell(line) }
    tell(Machine.current.text)
    if json {
      for line in [try PeerLines.encode(Machine.current)]
        + (try (path ?? link?.description).map { [try PeerLines.encode(["path": $0])] } ?? [])
      {
        print(String(decoding: line, as: UTF8.self), terminator: "")
      }
    }
    let run = BenchRun(plan: plan, systems: field.systems, patience: plan.effort.patience(files))
    let results = await run.run { outcome in
      switch outcome {
      case .success(let measurement):
        if json, let line = try? PeerLines.encode(measurement) {
          print(String(decoding: line, as: UTF8.self), terminator: "")
        } else {
          tell("\(measurement.workload), \(measurement.system), round \(measurement.round)")
        }
      case .failure(let gap):
        tell("\(gap.workload), \(gap.system): not measured: \(gap.reason)")
      }
    }
    await field.close()
    if !json {
      print(Machine.current.text)
      if let link { print("emulated link: \(link.description)") }
      if let other = field.otherMachine { print("answers: \(other.text)") }
      for line in field.missing { print(line) }
      let table = BenchTable(reference: systems.first?.rawValue ?? "")
      for line in table.lines(results, workloads: plan.workloads) { print(line) }
      if bars {
        print("")
        for line in BarTable(results.measurements, BarTable.bars(isFar: isFar)).lines { print(line) }
      }
    }
    if let report {
      let page = BenchReport(
        results: results, workloads: plan.workloads, reference: systems.first ?? .rmux,
        circumstances: circumstances(field, plan),
        bars: bars ? BarTable(results.measurements, BarTable.bars(isFar: isFar)) : nil)
      try page.html.write(toFile: report, atomically: true, encoding: .utf8)
      tell("wrote \(report)")
    }
    return results.gaps.isEmpty && !Task.isCancelled
  }

  private func circumstances(_ field: BenchField, _ plan: BenchRun.Plan) -> [(name: String, text: String)] {
    var lines = [("machine", Machine.current.text)]
    if let other = field.otherMachine { lines.append(("answering", other.text)) }
    let unnamed = connect == nil ? "loopback, two processes" : "a network"
    lines.append(("path", path ?? link?.description ?? unnamed))
    let arguments = CommandLine.arguments.dropFirst().map { $0.contains(" ") ? "'\($0)'" : $0 }
    lines.append(("command", "raft-mux " + arguments.joined(separator: " ")))
    lines.append(
      (
        "effort",
        "rounds: \(plan.rounds), each of \(Figures.fixed(plan.effort.duration.inSeconds, digits: 2)) s"
      ))
    for line in field.missing { lines.append(("missing", String(line.dropFirst("missing: ".count)))) }
    return lines
  }

  /// Progress and troubles go to standard error, so that figures can be piped.
  private func tell(_ line: String) {
    try? FileHandle.standardError.write(contentsOf: Data("\(line)\n".utf8))
  }
}
