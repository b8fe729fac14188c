/// One system whose programs are written in Go, as client and as server.
final class GoSystem: MeasuredSystem {
  let name: SystemName
  private let server: any AnsweringSide
  private let client: Conversation
  private let clientID: Int32
  private let files: SnapshotFiles

  init(_ name: SystemName, program: String, server: any AnsweringSide, files: SnapshotFiles) async throws {
    self.name = name
    self.files = files
    self.server = server
    (client, clientID) = try Conversation.withProcess(
      program: program, arguments: ["call", name.rawValue, server.address])
  }

  func supports(_ workload: Workload) -> Bool {
    switch workload.kind {
    case .snapshot(let shape, _): shape.encoding == .plain
    // Plain TCP has one stream: beside a snapshot it shows only what the snapshot gets without questions.
    case .latency(let question, let load):
      name != .tcp || load == .idle || (question, load) == (.vote, .snapshot)
    case .unary, .pipeline, .pipelines: name != .tcp
    case .peers, .codec, .idle: false
    }
  }

  func open(_ workload: Workload) async throws -> any MeasuringSession {
    GoSession(workload: workload, files: files, server: server, client: client, clientID: clientID)
  }

  func stop() async {
    await client.stop()
    await server.stop()
  }
}

private actor GoSession: MeasuringSession {
  private let workload: Workload
  private let files: SnapshotFiles
  private let server: any AnsweringSide
  private let client: Conversation
  private let clientID: Int32
  private var counter: SystemCallCounter?

  init(
    workload: Workload, files: SnapshotFiles, server: any AnsweringSide, client: Conversation, clientID: Int32
  ) {
    self.workload = workload
    self.files = files
    self.server = server
    self.client = client
    self.clientID = clientID
  }

  func measure(_ effort: Effort) async throws -> Sample {
    let order = try WorkloadOrder(workload, files: files, effort)
    return try await client.ask(
      PeerLines.Order(order: "measure", workload: order), patience: effort.patience(files))
  }

  func count(_ isOn: Bool) async throws {
    counter = nil
    try await server.count(isOn)
    if isOn { counter = try SystemCallCounter(processID: clientID) }
  }

  func usage() async throws -> Usage {
    var own: PeerLines.ProcessUsage = try await client.ask(.usage)
    own.systemCalls = counter?.count
    return Usage(client: own, server: try await server.usage(), wireBytes: own.wireBytes)
  }

  /// Its connections are its own affair; it keeps them as it would.
  func close() async {}
}
