internal import RaftTransport
internal import Synchronization

/// The receiving end of an in-memory transport.
///
/// Links hold on to it, not to the transport, so that two transports that are connected with each other do
/// not keep each other alive.
final class InMemoryInbox: Sendable {
  private struct WeakLink {
    weak var link: InMemoryLink?
  }

  private struct State {
    var isClosed = false
    var heartbeatHandler: HeartbeatHandler?
    var links: [WeakLink] = []
  }

  let serverID: ServerID
  let queue = AsyncQueue<IncomingRPC>()
  private let state = Mutex(State())

  init(serverID: ServerID) {
    self.serverID = serverID
  }

  /// Makes a link known, so that closing this end cuts it.
  func attach(_ link: InMemoryLink) {
    let isClosed = self.state.withLock { state in
      state.links.removeAll { $0.link == nil || $0.link === link }
      if !state.isClosed { state.links.append(WeakLink(link: link)) }
      return state.isClosed
    }
    if isClosed { link.sever(Self.closedSeverance) }
  }

  func setHeartbeatHandler(_ handler: HeartbeatHandler?) {
    self.state.withLock { state in
      guard !state.isClosed else { return }
      state.heartbeatHandler = handler
    }
  }

  /// Takes a request; `false` after ``close()``.
  func receive(_ rpc: IncomingRPC, isUrgent: Bool) -> Bool {
    if rpc.isHeartbeat, let handler = self.state.withLock({ $0.heartbeatHandler }) {
      handler(rpc)
      return true
    }
    return self.queue.push(rpc, urgent: isUrgent)
  }

  /// Ends the consumer; callers whose requests are here fail.
  func close() {
    let links = self.state.withLock { state in
      state.isClosed = true
      state.heartbeatHandler = nil
      let links = state.links.compactMap(\.link)
      state.links = []
      return links
    }
    // The links go first: a request that is dropped afterwards must not look like an answer.
    for link in links { link.sever(Self.closedSeverance) }
    self.queue.finish(droppingElements: true)
  }

  private static let closedSeverance = InMemorySeverance(
    code: .connectionLost, codeBeforeDelivery: .unreachable, message: "the peer was closed")
}
