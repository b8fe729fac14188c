#if Authentication
  import Logging
  import RaftTransport
  import RaftTransportTesting
  import Testing

  /// A transport on the loopback interface, with limits so generous that no test runs into one that it does not set.
  func listen(
    _ id: ServerID, _ security: TransportSecurity, log: LogCapture = LogCapture(),
    _ configure: (inout TransportConfiguration) -> Void = { _ in }
  ) async throws -> MuxTransport {
    var configuration = TransportConfiguration(
      serverID: id, clusterID: TestCertificates.cluster, security: security, logger: log.logger)
    configuration.timeout = .seconds(120)
    configuration.snapshotDeadline = .progress(stall: .seconds(120), restore: .seconds(120))
    configure(&configuration)
    return try await MuxTransport.listen(on: "127.0.0.1:0", configuration: configuration)
  }

  extension MuxTransport {
    /// One append there and back, to a peer that answers as an echo consumer does.
    func proveCall(to peer: MuxTransport, as id: ServerID, number: UInt64 = 1) async throws {
      try await proveCall(to: id, at: peer.localAddress, number: number)
    }

    /// The same, at an address.
    func proveCall(to id: ServerID, at address: ServerAddress, number: UInt64 = 1) async throws {
      let request = AppendEntriesRequest(
        term: 5, previousLogIndex: number, previousLogTerm: 4,
        entries: [LogEntry(index: number + 1, term: 5)],
        leaderCommitIndex: 1)
      let response = try await appendEntries(id: id, target: address, request)
      #expect(response.lastLog == number + 1)
    }

    /// The connections with a peer.
    func connections(to id: ServerID) async -> [TransportStatistics.Connection] {
      await statistics().connections.filter { $0.peerID == id }
    }
  }
#endif
