/// Runs the answering processes on this machine.
struct LocalHost: AnsweringHost {
  /// The address that they listen on.
  let address: String
  let goPeers: GoPeers?

  var callerHost: String { address }
  var machine: Machine? { nil }

  func start(_ system: SystemName) async throws -> any AnsweringSide {
    try await LocalProcess.start(system, at: address, goPeers: goPeers)
  }

  func close() async {}
}

/// One answering process on this machine.
struct LocalProcess: AnsweringSide {
  let address: String
  private let conversation: Conversation
  private let processID: Int32

  static func start(_ system: SystemName, at host: String, goPeers: GoPeers?) async throws -> LocalProcess {
    let (conversation, processID) =
      if system.isBuiltIn {
        try Conversation.withProcess(arguments: BenchServerCommand.arguments(system, at: host))
      } else {
        try Conversation.withProcess(
          program: program(of: system, goPeers), arguments: ["serve", system.rawValue, host])
      }
    do {
      let listening = try await conversation.hear(PeerLines.Listening.self)
      return LocalProcess(address: listening.address, conversation: conversation, processID: processID)
    } catch {
      await conversation.stop()
      throw error
    }
  }

  private static func program(of system: SystemName, _ goPeers: GoPeers?) throws -> String {
    guard let goPeers else { throw BenchError("started without the peers that are written in Go") }
    return try goPeers.program(of: system)
  }

  func usage() async throws -> PeerLines.ProcessUsage {
    try await conversation.ask(.usage)
  }

  func stop() async {
    await conversation.stop()
  }
}
