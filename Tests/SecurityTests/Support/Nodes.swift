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

  /// Runs a body and closes the transports behind it, whatever happens.
  func closing<Result>(
    _ transports: MuxTransport..., isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws -> Result
  ) async throws -> Result {
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
    for transport in transports { await transport.close() }
    return try outcome.get()
  }

  /// What a test waited for did not come.
  struct NeverHappened: Error, CustomStringConvertible {
    let description: String
  }

  /// Waits until a condition holds that no event announces. The limit is only there so that a failure is not a hang.
  func eventually(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(60),
    isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
  ) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
      guard ContinuousClock.now < end else { throw NeverHappened(description: what()) }
      // The condition is what is waited for; the pause leaves the processor to whoever brings it about.
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  /// The error of a call that has to fail.
  func failure<Value>(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
    isolation: isolated (any Actor)? = #isolation, _ call: () async throws -> Value
  ) async throws -> TransportError {
    do {
      let value = try await call()
      Issue.record("\(what) succeeded with \(value)", sourceLocation: sourceLocation)
    } catch let error as TransportError {
      return error
    }
    throw NeverHappened(description: "\(what) fails")
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
