import NIOCore
import RaftTransport
import Synchronization

/// Asks peers for their votes, each as soon as it has answered the last time and a short pause has passed.
final class VoteAsker: Sendable {
  /// What a node may ask for: the leader both in turn, followers only whether they would get a vote.
  enum Kind: Sendable {
    case votesAndPreVotes
    case preVotes
  }

  private let transport: any NodeTransport
  private let header: RPCHeader
  private let latency: VoteLatency
  private let lastLogIndex: @Sendable () -> UInt64
  private let tasks = Mutex<[Task<Void, Never>]>([])
  private let isStopped = Atomic(false)

  init(
    transport: any NodeTransport, header: RPCHeader, latency: VoteLatency,
    lastLogIndex: @escaping @Sendable () -> UInt64
  ) {
    self.transport = transport
    self.header = header
    self.latency = latency
    self.lastLogIndex = lastLogIndex
  }

  /// Begins to ask the given peers.
  func start(_ kind: Kind, of peers: [Peer], pause: Duration) {
    let tasks = peers.map { peer in
      Task {
        var turn = 0
        while !self.isStopped.load(ordering: .relaxed) {
          let isAnswered = await self.askOnce(peer, preVote: kind == .preVotes || turn % 2 == 1)
          turn += 1
          // The pace of the votes; a peer that cannot be reached is not there a moment later.
          try? await Task.sleep(for: isAnswered ? pause : max(pause, .milliseconds(100)))
        }
      }
    }
    self.tasks.withLock { $0 += tasks }
  }

  /// Asks no more and waits for the answers to what was asked.
  func stop() async {
    self.isStopped.store(true, ordering: .relaxed)
    let tasks = self.tasks.withLock { tasks in
      defer { tasks = [] }
      return tasks
    }
    for task in tasks { await task.value }
  }

  /// - Returns: Whether an answer came.
  private func askOnce(_ peer: Peer, preVote: Bool) async -> Bool {
    let id = ServerID(peer.id)
    let target = ServerAddress(peer.address)
    let lastLogIndex = self.lastLogIndex()
    self.latency.asked(of: peer.id)
    let start = ContinuousClock.now
    do {
      if preVote {
        let request = RequestPreVoteRequest(
          header: self.header, term: DemoTerm.current, lastLogIndex: lastLogIndex,
          lastLogTerm: DemoTerm.current)
        _ = try await self.transport.requestPreVote(id: id, target: target, request)
      } else {
        let request = RequestVoteRequest(
          header: self.header, term: DemoTerm.current, candidate: self.header.address,
          lastLogIndex: lastLogIndex, lastLogTerm: DemoTerm.current)
        _ = try await self.transport.requestVote(id: id, target: target, request)
      }
      self.latency.answered(by: peer.id, after: .now - start)
      return true
    } catch {
      self.latency.failed(at: peer.id, error)
      return false
    }
  }
}

/// The demo shows a transport, not an election: all nodes stay in one term.
enum DemoTerm {
  static let current: UInt64 = 1
}
