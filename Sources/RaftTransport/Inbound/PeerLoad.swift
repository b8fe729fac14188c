import StreamMux
import Synchronization

/// How many handlers work for one peer, over all its connections (R-LIM-11).
///
/// Stream credit bounds the handlers of one connection. But the handlers of a connection that is lost go on, and a peer
/// that comes back again and again must not have a full set of them for each time. What would be too many waits in
/// its stream's window. Elections are counted by themselves, so that appends cannot keep a vote out (R-LIM-12).
///
/// Requests are weighed, for what a handler holds may be far more than what came: an entry of one byte on the wire is
/// decoded into a hundred and twenty (R-LIM-15).
final class PeerLoad: Sendable {
  /// A stream that has requests which no handler may have yet.
  struct Waiting: Sendable, Hashable {
    let link: Link
    let stream: StreamKey

    static func == (left: Waiting, right: Waiting) -> Bool {
      left.link === right.link && left.stream == right.stream
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(ObjectIdentifier(link))
      hasher.combine(stream)
    }
  }

  private struct Lane: ~Copyable {
    /// The weight of all requests that handlers have.
    let running = Atomic(0)
    let waitingCount = Atomic(0)
    let waiting = Mutex<Set<Waiting>>([])
  }

  private let elections = Lane()
  private let others = Lane()
  /// The weight of either kind with which no further handler begins.
  private let limit: Int
  /// With so little those that wait are told: not with each one that ends, since all of them look.
  private let comfortable: Int
  private let gone: @Sendable () -> Void

  init(limit: Int, gone: @escaping @Sendable () -> Void = {}) {
    self.limit = limit
    self.comfortable = limit - max(1, limit / 4)
    self.gone = gone
  }

  deinit {
    gone()
  }

  /// Whether another handler may begin. If not, the stream is told when it should look again.
  ///
  /// Only the event loop of the transport's connections asks, so that nothing comes between this and ``begin(_:weight:)``.
  func hasRoom(for trafficClass: TrafficClass, orTell waiting: @autoclosure () -> Waiting) -> Bool {
    switch trafficClass {
    case .election: hasRoom(elections, orTell: waiting)
    case .append, .snapshot: hasRoom(others, orTell: waiting)
    }
  }

  private func hasRoom(_ lane: borrowing Lane, orTell waiting: () -> Waiting) -> Bool {
    if lane.running.load(ordering: .sequentiallyConsistent) < limit { return true }
    lane.waiting.withLock { waitingNow in
      waitingNow.insert(waiting())
      lane.waitingCount.store(waitingNow.count, ordering: .sequentiallyConsistent)
    }
    // A handler that has ended meanwhile may have looked too early.
    return lane.running.load(ordering: .sequentiallyConsistent) < limit
  }

  /// What a request weighs: about as many times 2 KiB as it takes of memory, beside the bytes that its window counts.
  static func weight(entryCount: Int) -> Int { 1 + entryCount / 16 }

  /// A handler gets a request. The last one may weigh more than there was room for, or heavy ones would never get in.
  func begin(_ trafficClass: TrafficClass, weight: Int) {
    switch trafficClass {
    case .election: elections.running.add(weight, ordering: .sequentiallyConsistent)
    case .append, .snapshot: others.running.add(weight, ordering: .sequentiallyConsistent)
    }
  }

  /// A handler has answered; from any thread.
  func end(_ trafficClass: TrafficClass, weight: Int) {
    switch trafficClass {
    case .election: end(elections, weight)
    case .append, .snapshot: end(others, weight)
    }
  }

  private func end(_ lane: borrowing Lane, _ weight: Int) {
    let left = lane.running.subtract(weight, ordering: .sequentiallyConsistent).newValue
    guard left <= comfortable, lane.waitingCount.load(ordering: .sequentiallyConsistent) > 0 else { return }
    let told = lane.waiting.withLock { waiting in
      defer { waiting = [] }
      lane.waitingCount.store(0, ordering: .sequentiallyConsistent)
      return waiting
    }
    for waiting in told {
      waiting.link.send(.perform { driver in driver.readOn(waiting.stream) })
    }
  }

  /// A stream that waited is over: nothing of it may stay here.
  func forget(_ waiting: Waiting, _ trafficClass: TrafficClass) {
    switch trafficClass {
    case .election: forget(waiting, in: elections)
    case .append, .snapshot: forget(waiting, in: others)
    }
  }

  private func forget(_ waiting: Waiting, in lane: borrowing Lane) {
    lane.waiting.withLock { waitingNow in
      waitingNow.remove(waiting)
      lane.waitingCount.store(waitingNow.count, ordering: .sequentiallyConsistent)
    }
  }

  /// How many streams wait, for tests.
  var waitingCount: Int {
    elections.waiting.withLock { $0.count } + others.waiting.withLock { $0.count }
  }

  /// The weight of the handlers that work now, for tests.
  var running: (elections: Int, others: Int) {
    (elections.running.load(ordering: .relaxed), others.running.load(ordering: .relaxed))
  }
}

/// The loads of all peers that are connected, or for which handlers still work.
final class PeerLoads: Sendable {
  private struct Entry {
    weak let load: PeerLoad?
  }

  private let limit: Int
  private let entries = Mutex<[ServerID: Entry]>([:])

  init(limit: Int) {
    self.limit = limit
  }

  /// The load of a peer, the same for all its connections.
  func load(of peer: ServerID) -> PeerLoad {
    entries.withLock { entries in
      if let load = entries[peer]?.load { return load }
      let load = PeerLoad(limit: limit) { [weak self] in self?.forget(peer) }
      entries[peer] = Entry(load: load)
      return load
    }
  }

  /// Forgets a peer without connections and handlers.
  private func forget(_ peer: ServerID) {
    let newer = entries.withLock { entries -> PeerLoad? in
      // It may have come back meanwhile.
      if let newer = entries[peer]?.load { return newer }
      entries[peer] = nil
      return nil
    }
    // If this was its last owner it ends outside the lock.
    _ = consume newer
  }

  /// How many peers are known, for tests.
  var count: Int { entries.withLock { $0.count } }
}
