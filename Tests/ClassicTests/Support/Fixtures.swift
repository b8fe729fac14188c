import Foundation
import Logging
import NIOCore
import RaftTransport
import RaftTransportTesting
import RaftWire
import Testing

/// A transport on the loopback interface, with limits so generous that no test runs into one that it does not set.
func listen(
  _ id: ServerID, _ choice: TransportConfiguration.ProtocolChoice = .preferRMUX,
  on address: String = "127.0.0.1:0", logger: Logger = .quiet,
  _ configure: (inout TransportConfiguration) -> Void = { _ in }
) async throws -> MuxTransport {
  var configuration = TransportConfiguration(serverID: id, clusterID: "classic", logger: logger)
  configuration.timeout = .seconds(120)
  configuration.snapshotDeadline = .progress(stall: .seconds(120), restore: .seconds(120))
  configuration.peerProtocol = choice
  configuration.oldPeers.stall = .seconds(120)
  configure(&configuration)
  return try await MuxTransport.listen(on: address, configuration: configuration)
}

/// Listens at an address that was used before. Another test's connection may have been given the port meanwhile; then
/// this waits until it is free again.
func listenAgain(
  _ id: ServerID, _ choice: TransportConfiguration.ProtocolChoice = .preferRMUX, on address: ServerAddress,
  isolation: isolated (any Actor)? = #isolation,
  _ configure: (inout TransportConfiguration) -> Void = { _ in }
) async throws -> MuxTransport {
  var transport: MuxTransport?
  try await eventually("\(address) is free") {
    do {
      transport = try await listen(id, choice, on: address.rawValue, configure)
    } catch let error as TransportError where error.code == .listenFailed {}
    return transport != nil
  }
  guard let transport else { throw NeverHappened(description: "\(address) is free") }
  return transport
}

/// A request by whose values the answer can be told; no heartbeat.
func numbered(_ number: UInt64) -> AppendEntriesRequest {
  AppendEntriesRequest(
    term: 5, previousLogIndex: number, previousLogTerm: 4, entries: [LogEntry(index: number + 1, term: 5)],
    leaderCommitIndex: 1)
}

/// The bytes of a request.
func bytes<Request: WireRequest>(of request: Request, _ profile: WireProfile = .default) throws -> ByteBuffer
{
  var bytes = ByteBuffer()
  try WireEncoder(profile: profile).encode(request: request, into: &bytes)
  return bytes
}

/// The bytes of a successful answer.
func bytes<Response: WireResponse>(
  answering response: Response, _ profile: WireProfile = .default
) throws
  -> ByteBuffer
{
  var bytes = ByteBuffer()
  try WireEncoder(profile: profile).encode(answer: WireAnswer(response: response), into: &bytes)
  return bytes
}

extension MuxTransport {
  /// The next RPC at this transport. It comes soon or never; the limit keeps a failure from being a hang.
  func nextRPC(within limit: Duration = .seconds(60)) async throws -> IncomingRPC {
    let consumer = consumer
    let first = await withTaskGroup(of: IncomingRPC?.self) { group in
      group.addTask { await consumer.makeAsyncIterator().next() }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
    guard let first else {
      throw NeverHappened(description: "an RPC at \(localAddress), which does this: \(await statistics())")
    }
    return first
  }

  /// One append there and back, to a peer that answers it as an echo consumer does.
  func proveCall(to peer: ServerID, at address: ServerAddress, number: UInt64 = 1) async throws {
    let response = try await appendEntries(id: peer, target: address, numbered(number))
    #expect(response.lastLog == number + 1)
  }

  /// What is spoken on each connection.
  func protocols() async -> [PeerProtocol] { await statistics().connections.map(\.peerProtocol) }

  /// The connections of the old protocol.
  func classicConnections() async -> [TransportStatistics.Connection] {
    await statistics().connections.filter { $0.peerProtocol == .classic }
  }
}

extension Logger {
  /// Swallows everything, unless `RAFT_MUX_TEST_LOG` asks for it.
  static let quiet: Logger = {
    guard ProcessInfo.processInfo.environment["RAFT_MUX_TEST_LOG"] != nil else {
      return Logger(label: "raft-mux-tests") { _ in SwiftLogNoOpLogHandler() }
    }
    var logger = Logger(label: "raft-mux-tests")
    logger.logLevel = .trace
    return logger
  }()
}
