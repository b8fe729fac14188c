import Testing

@testable import raft_mux

@Suite("Runs of the benchmark")
struct BenchRunTests {
  private static func run(
    _ names: [String], _ systems: [SystemName], on host: any AnsweringHost
  ) async throws -> (BenchRun.Results, BenchField) {
    let files = try SnapshotFiles(size: 2 << 20)
    defer { files.remove() }
    let field = await BenchField.open(systems, files: files, host: host, goPeers: nil)
    let effort = Effort(duration: .milliseconds(50), leadIn: .milliseconds(10))
    let warmUp = Effort(duration: .milliseconds(10), leadIn: .zero, snapshotLimit: 1 << 20)
    let workloads = Workload.all.filter { names.contains($0.name) }
    try #require(workloads.count == names.count)
    let plan = BenchRun.Plan(workloads: workloads, rounds: 1, effort: effort, warmUp: warmUp)
    let results = await BenchRun(plan: plan, systems: field.systems, patience: .seconds(60)).run { _ in }
    await field.close()
    return (results, field)
  }

  @Test(
    "Each kind of workload is measured",
    arguments: [
      "unary-8", "pipeline-1x256", "pipeline-64x256-default", "snapshot-memory-plain-random",
      "snapshot-file-zlib-text", "vote-idle", "vote-snapshot", "heartbeat-busy", "growth-streams-4",
      "growth-peers-2", "growth-snapshot-1M", "codec-append-1x256",
    ])
  func workloads(name: String) async throws {
    let (results, _) = try await Self.run([name], [.rmux], on: InProcessHost())
    #expect(results.gaps == [])
    let measurement = try #require(results.measurements.first)
    #expect(measurement.sample.operations > 0)
    #expect(measurement.sample.seconds > 0)
    if name == "vote-snapshot" { #expect(measurement.sample.timeline?.isEmpty == false) }
  }

  @Test(
    "The bare pipeline is measured",
    arguments: ["pipeline-1x256", "snapshot-memory-plain-random", "vote-idle"])
  func bareNIO(name: String) async throws {
    let (results, _) = try await Self.run([name], [.bareNIO], on: InProcessHost())
    #expect(results.gaps == [])
    #expect(results.measurements.first.map { $0.sample.operations > 0 } == true)
  }

  @Test("Who cannot be started is named, and the others are measured")
  func missing() async throws {
    let (results, field) = try await Self.run(
      ["pipeline-1x256"], [.rmux, .bareNIO], on: InProcessHost(absent: [.bareNIO]))
    #expect(field.missing == ["missing: bare-nio: it is not here"])
    #expect(results.measurements.map(\.system) == ["rmux"])
  }

  @Test("The same goes through a service at another address")
  func overAService() async throws {
    let service = try await HostService.listen(
      at: "127.0.0.1:0", host: InProcessHost(absent: [.bareNIO]))
    let serving = Task { await service.run() }
    let host = try await RemoteHost.connect(to: service.address)
    #expect(host.machine != nil)
    let (results, field) = try await Self.run(["growth-peers-2", "vote-idle"], [.rmux, .bareNIO], on: host)
    #expect(results.gaps == [])
    #expect(results.measurements.map(\.workload) == ["vote-idle", "growth-peers-2"])
    #expect(field.missing == ["missing: bare-nio: it is not here"])
    serving.cancel()
    await serving.value
  }

  @Test("Whoever is no service is refused with a sentence")
  func noService() async throws {
    let server = try await MessageServer.listen(at: "127.0.0.1")
    await #expect(throws: BenchError.self) { try await RemoteHost.connect(to: server.address) }
    try await server.close()
    await #expect(throws: BenchError.self) { try await RemoteHost.connect(to: "nowhere") }
  }

  @Test("Workloads that differ in one number stand in one table, by that number")
  func groups() throws {
    let groups = WorkloadGroup.groups(of: Workload.all)
    #expect(groups.map(\.workloads.count).reduce(0, +) == Workload.all.count)
    let sizes = try #require(groups.first { $0.name == "growth-snapshot" })
    #expect(
      sizes.workloads.map { sizes.position(of: $0) } == [0, 2, 4, 6, 8, 10].map { Double(1 << (20 + $0)) })
  }

  @Test("The profiles are three links with three rates of loss")
  func profiles() {
    #expect(PathProfile.all.count == 9)
    #expect(Set(PathProfile.all.map(\.name)).count == 9)
    #expect(PathProfile.all.map(\.queueBytes).max() == 12_500_000)
  }
}
