/// Where the answering processes run: on this machine, or at the other end of a network.
protocol AnsweringHost: Sendable {
  /// The address of this machine as the other side sees it, for sockets of the calling side.
  var callerHost: String { get }

  /// What is to be said about the other machine; `nil` where there is none.
  var machine: Machine? { get }

  /// Starts the answering side of a system.
  ///
  /// - Throws: ``BenchError`` where it is missing there.
  func start(_ system: SystemName, _ shape: ServerShape) async throws -> any AnsweringSide

  /// Ends what it has started.
  func close() async
}

/// The answering process of one system.
protocol AnsweringSide: Sendable {
  /// Where it listens.
  var address: String { get }

  /// Where further transports of the same process listen.
  var otherAddresses: [String] { get }

  /// Begins or ends counting system calls and, where the process can, allocations.
  ///
  /// - Throws: ``BenchError`` with the reason why that is not possible.
  func count(_ isOn: Bool) async throws

  /// What the process has used since it began.
  func usage() async throws -> PeerLines.ProcessUsage

  func stop() async
}

extension AnsweringHost {
  func start(_ system: SystemName) async throws -> any AnsweringSide {
    try await start(system, ServerShape())
  }
}
