import Logging
import RaftTransport
import RaftTransportTesting
import Testing

/// A transport on the loopback interface, with limits so generous that no test runs into one that it does not set.
func listen(
  _ id: ServerID, on address: String = "127.0.0.1:0", logger: Logger = .quiet,
  _ configure: (inout TransportConfiguration) -> Void = { _ in }
) async throws -> MuxTransport {
  var configuration = TransportConfiguration(serverID: id, clusterID: "sockets", logger: logger)
  configuration.timeout = .seconds(120)
  configuration.snapshotDeadline = .progress(stall: .seconds(120), restore: .seconds(120))
  configure(&configuration)
  return try await MuxTransport.listen(on: address, configuration: configuration)
}

/// Listens at an address that was used before. Another test's connection may have been given the port meanwhile; then
/// this waits until it is free again.
func listenAgain(
  _ id: ServerID, on address: ServerAddress, isolation: isolated (any Actor)? = #isolation,
  _ configure: (inout TransportConfiguration) -> Void = { _ in }
) async throws -> MuxTransport {
  var transport: MuxTransport?
  try await eventually("\(address) is free") {
    do {
      transport = try await listen(id, on: address.rawValue, configure)
    } catch let error as TransportError where error.code == .listenFailed {}
    return transport != nil
  }
  guard let transport else { throw NeverHappened(description: "\(address) is free") }
  return transport
}

/// Calls until the request was delivered: what certainly was not may be sent again.
func untilDelivered<Value>(
  within limit: Duration = .seconds(60), isolation: isolated (any Actor)? = #isolation,
  _ call: () async throws -> Value
) async throws -> Value {
  let end = ContinuousClock.now + limit
  while true {
    do {
      return try await call()
    } catch let error as TransportError where error.delivery == .notDelivered {
      guard ContinuousClock.now < end else { throw error }
      // The call is what is waited for; the pause leaves the processor to whoever makes it possible.
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}

/// A request by whose values the answer can be told; no heartbeat.
func numbered(_ number: UInt64) -> AppendEntriesRequest {
  AppendEntriesRequest(
    term: 5, previousLogIndex: number, previousLogTerm: 4, entries: [LogEntry(index: number + 1, term: 5)],
    leaderCommitIndex: 1)
}

extension MuxTransport {
  /// The next RPC at this transport. It comes soon or never; the limit keeps a failure from being a hang.
  func nextRPC(within limit: Duration = .seconds(60)) async throws -> IncomingRPC {
    let consumer = consumer
    let first = await withTaskGroup(of: IncomingRPC?.self) { group in
      group.addTask { await consumer.makeAsyncIterator().next() }
      group.addTask {
        // A watchdog; cancelled when the RPC comes.
        try? await Task.sleep(for: limit)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
    guard let first else { throw NeverHappened(description: "an RPC at \(localAddress)") }
    return first
  }

  /// The next RPC at this transport, which has to be an append.
  func nextAppend() async throws -> (
    request: AppendEntriesRequest, responder: Responder<AppendEntriesResponse>
  ) {
    guard case .appendEntries(let request, let responder) = try await nextRPC().command else {
      throw NeverHappened(description: "an append at \(localAddress)")
    }
    return (request, responder)
  }

  /// The next RPC at this transport, which has to be a snapshot.
  func nextSnapshot() async throws -> (body: SnapshotBody, responder: Responder<InstallSnapshotResponse>) {
    guard case .installSnapshot(_, let body, let responder) = try await nextRPC().command else {
      throw NeverHappened(description: "a snapshot at \(localAddress)")
    }
    return (body, responder)
  }

  /// The port that peers dial.
  var port: Int {
    Int(localAddress.rawValue.split(separator: ":").last ?? "") ?? 0
  }

  /// One append there and back, to a peer that answers it as an echo consumer does.
  func proveCall(to peer: ServerID, at address: ServerAddress, number: UInt64 = 1) async throws {
    let response = try await appendEntries(id: peer, target: address, numbered(number))
    #expect(response.lastLog == number + 1)
  }

  /// One append to another transport, by its name and at its address.
  func proveCall(to peer: MuxTransport, as id: ServerID, number: UInt64 = 1) async throws {
    try await proveCall(to: id, at: peer.localAddress, number: number)
  }
}
