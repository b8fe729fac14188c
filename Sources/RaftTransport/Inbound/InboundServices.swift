import Logging
import NIOCore
import RaftWire
import Synchronization

/// What the serving of incoming RPCs needs of the transport; shared by all its connections.
final class InboundServices: Sendable {
  let encoder: WireEncoder
  let messageLimits: MessageLimits
  /// What a peer may send on a new stream, in bytes.
  let initialWindow: Int
  let unansweredRequestsPerStream: Int
  let logger: Logger
  /// How many handlers work for each peer.
  let loads: PeerLoads
  let counters = EventCounters()
  /// The lines that peers can cause.
  let peerLog: PeerLog
  let environment: TransportEnvironment
  let queue = AsyncQueue<IncomingRPC>()
  private let heartbeatHandler = Mutex<HeartbeatHandler?>(nil)

  init(configuration: TransportConfiguration) {
    encoder = WireEncoder(profile: configuration.wireProfile)
    initialWindow = configuration.windows.initial
    messageLimits = MessageLimits(maximumMessageBytes: configuration.limits.maximumMessageBytes)
    unansweredRequestsPerStream = configuration.limits.unansweredRequestsPerStream
    logger = configuration.logger
    loads = PeerLoads(
      limit: configuration.limits.handlersPerPeer, claimedLimit: configuration.limits.handlersOfUnprovenPeers)
    peerLog = PeerLog(counters: counters)
    environment = configuration.environment
  }

  func setHeartbeatHandler(_ handler: HeartbeatHandler?) {
    heartbeatHandler.withLock { $0 = handler }
  }

  /// Takes an RPC to whoever handles it: heartbeats past the consumer where there is a handler for them.
  func dispatch(_ rpc: IncomingRPC) {
    if rpc.isHeartbeat, let handler = heartbeatHandler.withLock({ $0 }) {
      handler(rpc)
    } else {
      // After the end the RPC is dropped, and its responder answers that.
      queue.push(rpc, urgent: rpc.isElectionTraffic)
      if environment.has(.dispatchesTwice) { queue.push(rpc, urgent: rpc.isElectionTraffic) }
    }
  }
}
