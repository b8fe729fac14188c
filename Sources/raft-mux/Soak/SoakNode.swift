import Logging
import NIOCore
import RaftTransport
import RaftTransportTesting

/// A node behind a link of its own. It can be restarted: then it listens on the same port, as another incarnation.
actor SoakNode {
  nonisolated let id: ServerID
  nonisolated let link: FaultyLink
  private(set) var transport: MuxTransport
  private let port: String
  private let ledger: SoakLedger
  private var serving: Task<Void, Never>

  /// Where peers reach it.
  nonisolated var address: ServerAddress { link.address }

  static func start(_ index: Int, ledger: SoakLedger) async throws -> SoakNode {
    let id = ServerID("node-\(index)")
    // The link has to know the port, and the node the link's address: so it is opened twice.
    let first = try await MuxTransport.listen(
      on: "127.0.0.1:0", configuration: configuration(id, advertised: nil))
    let port = first.localAddress.rawValue
    await first.close()
    let link = try await FaultyLink.start(to: ServerAddress(port))
    let transport = try await listen(id, on: port, advertising: link.address)
    return SoakNode(id, link, transport, port: port, ledger: ledger)
  }

  private init(
    _ id: ServerID, _ link: FaultyLink, _ transport: MuxTransport, port: String, ledger: SoakLedger
  ) {
    self.id = id
    self.link = link
    self.transport = transport
    self.port = port
    self.ledger = ledger
    serving = Self.serve(transport, ledger)
  }

  /// Listens where the node listened before. Meanwhile the system may have given the port to one of the connections that
  /// nodes and links make all the time; those end soon.
  private static func listen(
    _ id: ServerID, on port: String, advertising address: ServerAddress
  ) async throws -> MuxTransport {
    let end = ContinuousClock.now + .seconds(20)
    while true {
      do {
        return try await MuxTransport.listen(on: port, configuration: configuration(id, advertised: address))
      } catch let error as TransportError where error.code == .listenFailed && ContinuousClock.now < end {
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  private static func configuration(_ id: ServerID, advertised: ServerAddress?) -> TransportConfiguration {
    var logger = Logger(label: id.rawValue) { StreamLogHandler.standardError(label: $0) }
    // Faults are wanted here, and each would be a warning.
    logger.logLevel = .critical
    return TransportConfiguration(
      serverID: id, clusterID: "soak", advertisedAddress: advertised, timeout: .seconds(5),
      snapshotDeadline: .progress(stall: .seconds(5), restore: .seconds(5)), maxRPCsInFlight: 16,
      dialling: TransportConfiguration.Dialling(
        firstPause: .milliseconds(20), longestPause: .milliseconds(300)),
      // The links corrupt bytes; without checksums nobody could tell.
      frameChecksums: .always, logger: logger)
  }

  /// Ends the node and starts it anew after a while.
  func restart(after pause: Duration) async throws {
    await close()
    try? await Task.sleep(for: pause)
    transport = try await Self.listen(id, on: port, advertising: link.address)
    serving = Self.serve(transport, ledger)
  }

  /// Ends the node. Its link stays.
  func close() async {
    await transport.close()
    await serving.value
  }

  /// Streams and calls of all connections.
  func busyness() async -> Int {
    await transport.statistics().connections.reduce(0) {
      $0 + $1.streams.election + $1.streams.append + $1.streams.snapshot + $1.callsInFlight
    }
  }

  private static func serve(_ transport: MuxTransport, _ ledger: SoakLedger) -> Task<Void, Never> {
    transport.setHeartbeatHandler { SoakAnswers.answer($0, ledger) }
    let consumer = transport.consumer
    return Task {
      await withDiscardingTaskGroup { group in
        for await rpc in consumer {
          switch SoakAnswers.manner(of: rpc) {
          case .atOnce: SoakAnswers.answer(rpc, ledger)
          case .late(let pause):
            group.addTask {
              // A slow disk.
              try? await Task.sleep(for: pause)
              SoakAnswers.answer(rpc, ledger)
            }
          case .asItComes:
            group.addTask { await SoakAnswers.takeSnapshot(rpc, ledger) }
          }
        }
      }
    }
  }
}
