/// Runs the answering processes on this machine.
struct LocalHost: AnsweringHost {
  /// The address that they listen on.
  let address: String
  let goPeers: GoPeers?

  var callerHost: String { address }
  var machine: Machine? { nil }

  func start(_ system: SystemName, _ shape: ServerShape) async throws -> any AnsweringSide {
    try await LocalProcess.start(system, shape, at: address, goPeers: goPeers)
  }

  func close() async {}
}

/// One answering process on this machine.
actor LocalProcess: AnsweringSide {
  nonisolated let address: String
  nonisolated let otherAddresses: [String]
  private let conversation: Conversation
  private let processID: Int32
  private let isBuiltIn: Bool
  private var counter: SystemCallCounter?

  static func start(
    _ system: SystemName, _ shape: ServerShape, at host: String, goPeers: GoPeers?
  ) async throws -> LocalProcess {
    let (conversation, processID) =
      if system.isBuiltIn {
        try Conversation.withProcess(arguments: BenchServerCommand.arguments(system, shape, at: host))
      } else {
        try Conversation.withProcess(
          program: program(of: system, goPeers), arguments: ["serve", system.rawValue, host])
      }
    do {
      let listening = try await conversation.hear(PeerLines.Listening.self)
      return LocalProcess(
        listening: listening, conversation: conversation, processID: processID,
        isBuiltIn: system.isBuiltIn)
    } catch {
      await conversation.stop()
      throw error
    }
  }

  private init(
    listening: PeerLines.Listening, conversation: Conversation, processID: Int32, isBuiltIn: Bool
  ) {
    address = listening.address
    otherAddresses = listening.others ?? []
    self.conversation = conversation
    self.processID = processID
    self.isBuiltIn = isBuiltIn
  }

  private static func program(of system: SystemName, _ goPeers: GoPeers?) throws -> String {
    guard let goPeers else { throw BenchError("started without the peers that are written in Go") }
    return try goPeers.program(of: system)
  }

  func count(_ isOn: Bool) async throws {
    counter = nil
    if isOn { counter = try SystemCallCounter(processID: processID) }
    if isBuiltIn {
      let order = PeerLines.Order(order: isOn ? "count" : "discount")
      let _: PeerLines.Done = try await conversation.ask(order)
    }
  }

  func usage() async throws -> PeerLines.ProcessUsage {
    var usage: PeerLines.ProcessUsage = try await conversation.ask(.usage)
    usage.systemCalls = counter?.count
    return usage
  }

  func stop() async {
    counter = nil
    await conversation.stop()
  }
}
