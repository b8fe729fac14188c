import RaftTransport

@testable import raft_mux

/// Runs answering sides in the test's own process.
struct InProcessHost: AnsweringHost {
  /// What cannot be started.
  var absent: [SystemName] = []

  var callerHost: String { "127.0.0.1" }
  var machine: Machine? { nil }

  func start(_ system: SystemName, _ shape: ServerShape) async throws -> any AnsweringSide {
    if absent.contains(system) { throw BenchError("it is not here") }
    if system == .bareNIO { return MessageSide(server: try await MessageServer.listen(at: "127.0.0.1")) }
    var transports: [MuxTransport] = []
    for number in 0..<shape.transports {
      transports.append(
        try await MuxTransport.listen(
          on: "127.0.0.1:0", configuration: MuxSystem.configuration(serverID: BenchServer.id(number))))
    }
    return MuxSide(transports: transports)
  }

  func close() async {}
}

private struct MuxSide: AnsweringSide {
  let transports: [MuxTransport]
  private let serving: Task<Void, Never>

  init(transports: [MuxTransport]) {
    self.transports = transports
    serving = Task {
      await withDiscardingTaskGroup { group in
        for transport in transports { group.addTask { await BenchServer(transport: transport).run() } }
      }
    }
  }

  var address: String { transports[0].localAddress.rawValue }
  var otherAddresses: [String] { transports.dropFirst().map(\.localAddress.rawValue) }

  func count(_ isOn: Bool) async throws {}

  func usage() async throws -> PeerLines.ProcessUsage { PeerLines.ProcessUsage.current }

  func stop() async {
    for transport in transports { await transport.close() }
    await serving.value
  }
}

private struct MessageSide: AnsweringSide {
  let server: MessageServer

  var address: String { server.address }
  var otherAddresses: [String] { [] }

  func count(_ isOn: Bool) async throws {}

  func usage() async throws -> PeerLines.ProcessUsage { PeerLines.ProcessUsage.current }

  func stop() async {
    try? await server.close()
  }
}
