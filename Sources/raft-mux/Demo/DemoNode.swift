import Logging
import NIOCore
import NIOPosix
import RaftTransport
import Synchronization

/// One node: its transport with threads of its own, what it answers, and the votes that it asks for.
final class DemoNode: Sendable {
  let id: String
  let transport: any NodeTransport
  let header: RPCHeader

  /// This node, as its peers name it.
  let peer: Peer

  let inbox = Inbox()

  /// How long this node's log is; a leader moves it on as it appends, a follower's is in its inbox.
  let leaderPosition = LogPosition()

  private let latency = VoteLatency()
  private let asker: VoteAsker
  private let threads: MultiThreadedEventLoopGroup
  private let serving: Task<Void, Never>
  private let isClosed = Atomic(false)

  /// Opens a node on a port of the system's choice and lets it answer.
  static func start(id: String, settings: NodeSettings, open: OpenTransport) async throws -> DemoNode {
    let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      var logger = Logger(label: id) { StreamLogHandler.standardError(label: $0) }
      // Warnings would tear the table apart; what matters shows in the verdict.
      logger.logLevel = .error
      let configuration = TransportConfiguration(
        serverID: ServerID(id),
        clusterID: settings.clusterID,
        maxRPCsInFlight: settings.depth,
        compression: settings.compression.mode,
        security: try settings.security.security(of: id),
        eventLoopGroup: threads,
        logger: logger
      )
      return DemoNode(id: id, transport: try await open(configuration), threads: threads)
    } catch {
      try? await threads.shutdownGracefully()
      throw error
    }
  }

  private init(id: String, transport: any NodeTransport, threads: MultiThreadedEventLoopGroup) {
    self.id = id
    self.transport = transport
    self.threads = threads
    self.peer = Peer(id: id, address: transport.localAddress.rawValue)
    let address = transport.encodePeer(id: ServerID(id), address: transport.localAddress)
    let header = RPCHeader(protocolVersion: 3, id: ByteBuffer(string: id), address: address)
    self.header = header
    let inbox = self.inbox
    let leaderPosition = self.leaderPosition
    self.asker = VoteAsker(transport: transport, header: header, latency: self.latency) {
      max(inbox.lastIndex, leaderPosition.index)
    }
    let answers = NodeAnswers(header: header, inbox: inbox)
    self.serving = Task { await answers.serve(transport.consumer) }
  }

  /// Begins to ask peers for their votes.
  func askForVotes(_ kind: VoteAsker.Kind, of peers: [Peer], pause: Duration) {
    self.asker.start(kind, of: peers, pause: pause)
  }

  /// Asks for no more votes; returns when the last answer is there.
  func stopAsking() async {
    await self.asker.stop()
  }

  /// What this node sees of itself now.
  func observe() async -> NodeObservation {
    let connections = await self.transport.connections()
    let received = self.inbox.received
    return NodeObservation(
      connections: connections,
      log: received.log,
      snapshots: received.snapshots,
      votes: self.latency.figures
    )
  }

  /// Closes the transport and ends everything that belongs to this node. Closing twice does nothing.
  func close() async {
    guard !self.isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    await self.transport.close()
    await self.asker.stop()
    await self.serving.value
    try? await self.threads.shutdownGracefully()
  }
}

/// The index of the last entry of a log that only grows.
final class LogPosition: Sendable {
  private let value = Atomic<UInt64>(0)

  var index: UInt64 { self.value.load(ordering: .relaxed) }

  /// Moves on to an index, unless it lies behind.
  func advance(to index: UInt64) {
    self.value.max(index, ordering: .relaxed)
  }
}
