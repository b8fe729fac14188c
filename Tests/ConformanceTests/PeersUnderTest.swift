import ConformanceSuite
import Logging
import NIOCore
import RaftTransport
import RaftTransportTesting
import RaftWire

/// Our own transport as the peer that the suite tests.
enum PeersUnderTest {
  static let clusterID = "conformance tests"
  static let suiteID = "conformance"
  static let ownID: ServerID = "peer"
  static let snapshotBytes = 25_000

  static let keyBytes = [UInt8](0..<32)

  static func settings(seconds: Int64 = 30, concurrency: Int = 8, hasKey: Bool = false) -> SuiteSettings {
    SuiteSettings(
      clusterID: clusterID, serverID: suiteID, key: hasKey ? ProofKey(bytes: keyBytes) : nil,
      caseLimit: .seconds(seconds), concurrency: concurrency)
  }

  static func configuration(
    checksums: TransportConfiguration.FrameChecksums, hasKey: Bool
  ) throws -> TransportConfiguration {
    var configuration = TransportConfiguration(
      serverID: ownID, clusterID: clusterID, logger: Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() })
    #if Authentication
      if hasKey { configuration.security = .sharedKey(SharedKeys(try SharedKey(bytes: keyBytes))) }
    #endif
    configuration.timeout = .seconds(60)
    configuration.frameChecksums = checksums
    configuration.dialling = .init(firstPause: .milliseconds(1), longestPause: .milliseconds(5))
    return configuration
  }

  /// A server that answers everything, for as long as the body runs.
  static func withServer<Result>(
    checksums: TransportConfiguration.FrameChecksums = .never, hasKey: Bool = false,
    _ body: (_ port: Int) async throws -> Result
  ) async throws -> Result {
    let transport = try await MuxTransport.listen(
      on: "127.0.0.1:0", configuration: configuration(checksums: checksums, hasKey: hasKey))
    let echo = EchoConsumer(transport)
    let result: Swift.Result<Result, any Error>
    do {
      result = .success(
        try await body(Int(transport.localAddress.rawValue.split(separator: ":").last ?? "") ?? 0))
    } catch {
      result = .failure(error)
    }
    await transport.close()
    await echo.stop()
    return try result.get()
  }

  /// A client that dials a port and calls again and again, for as long as the body runs.
  static func withClient<Result: Sendable>(
    of port: Int, checksums: TransportConfiguration.FrameChecksums = .never,
    compression: CompressionMode = .automatic, hasKey: Bool = false, _ body: () async throws -> Result
  ) async throws -> Result {
    var configuration = try configuration(checksums: checksums, hasKey: hasKey)
    configuration.compression = compression
    let transport = try await MuxTransport.listen(on: "127.0.0.1:0", configuration: configuration)
    let echo = EchoConsumer(transport)
    let callers =
      (0..<2).map { lane in Task { await callForEver(transport, port: port, isLarge: lane == 1) } } + [
        Task { await askForEver(transport, port: port) }, Task { await sendSnapshots(transport, port: port) },
      ]
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    for caller in callers { caller.cancel() }
    await transport.close()
    for caller in callers { await caller.value }
    await echo.stop()
    return try result.get()
  }

  private static func target(_ port: Int) -> ServerAddress { ServerAddress("127.0.0.1:\(port)") }

  /// Asks for a vote now and then.
  private static func askForEver(_ transport: MuxTransport, port: Int) async {
    var term: UInt64 = 1
    while !Task.isCancelled {
      _ = try? await transport.requestVote(
        id: ServerID(suiteID), target: target(port), RequestVoteRequest(term: term))
      term += 1
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Sends a snapshot now and then, of which one part can be compressed and the other one cannot.
  private static func sendSnapshots(_ transport: MuxTransport, port: Int) async {
    var generator = SystemRandomNumberGenerator()
    let body = ByteBuffer(
      bytes: Array(repeating: 0x62, count: 20_000)
        + (20_000..<snapshotBytes).map { _ in .random(in: 0...255, using: &generator) })
    while !Task.isCancelled {
      _ = try? await transport.installSnapshot(
        id: ServerID(suiteID), target: target(port),
        InstallSnapshotRequest(
          snapshotVersion: 1, term: 1, lastLogIndex: 1, lastLogTerm: 1, size: Int64(body.readableBytes)),
        data: SnapshotSource(body))
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Calls at a steady pace, whatever becomes of earlier calls, of which a bounded number waits.
  private static func callForEver(_ transport: MuxTransport, port: Int, isLarge: Bool) async {
    let data = ByteBuffer(repeating: 0x61, count: isLarge ? 40_000 : 10)
    await withDiscardingTaskGroup { group in
      var index: UInt64 = 1
      while !Task.isCancelled {
        let request = AppendEntriesRequest(
          term: 1, previousLogIndex: index - 1, entries: [LogEntry(index: index, term: 1, data: data)])
        index += 1
        group.addTask {
          _ = try? await transport.appendEntries(
            id: ServerID(suiteID), target: target(port), request)
        }
        // The pace is what a client under test has to keep.
        try? await Task.sleep(for: .milliseconds(isLarge ? 50 : 15))
      }
      group.cancelAll()
    }
  }
}
