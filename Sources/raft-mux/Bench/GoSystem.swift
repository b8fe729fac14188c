/// One system whose programs are written in Go, as client and as server.
final class GoSystem: MeasuredSystem {
  let name: SystemName
  private let server: any AnsweringSide
  private let client: Conversation
  private let files: SnapshotFiles

  init(_ name: SystemName, program: String, server: any AnsweringSide, files: SnapshotFiles) async throws {
    self.name = name
    self.files = files
    self.server = server
    (client, _) = try Conversation.withProcess(
      program: program, arguments: ["call", name.rawValue, server.address])
  }

  func supports(_ workload: Workload) -> Bool {
    switch workload.kind {
    case .snapshot(let shape): shape.encoding == .plain
    // Plain TCP has one stream: beside a snapshot it shows only what the snapshot gets without questions.
    case .latency(let question, let load): name != .tcp || load == .idle || (question, load) == (.vote, .snapshot)
    case .unary, .pipeline: name != .tcp
    }
  }

  func open(_ workload: Workload) async throws -> any MeasuringSession {
    GoSession(workload: workload, files: files, server: server, client: client)
  }

  func stop() async {
    await client.stop()
    await server.stop()
  }
}

private struct GoSession: MeasuringSession {
  let workload: Workload
  let files: SnapshotFiles
  let server: any AnsweringSide
  let client: Conversation

  func measure(_ effort: Effort) async throws -> Sample {
    let order = WorkloadOrder(workload, files: files, effort)
    return try await client.ask(
      PeerLines.Order(order: "measure", workload: order), patience: effort.patience(files))
  }

  func usage() async throws -> Usage {
    let client: PeerLines.ProcessUsage = try await self.client.ask(.usage)
    return Usage(
      clientCPUSeconds: client.cpuSeconds, serverCPUSeconds: try await server.usage().cpuSeconds,
      wireBytes: client.wireBytes)
  }

  /// Its connections are its own affair; it keeps them as it would.
  func close() async {}
}
