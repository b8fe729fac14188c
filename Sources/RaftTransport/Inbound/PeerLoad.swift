import StreamMux

/// How many handlers work for one peer, over all its connections (R-LIM-11).
///
/// Stream credit bounds the handlers of one connection. But the handlers of a connection that is lost go on, and a peer
/// that comes back again and again must not have a full set of them for each time. What would be too many waits in
/// its stream's window. Elections are counted by themselves, so that appends cannot keep a vote out (R-LIM-12).
///
/// Requests are weighed, for what a handler holds may be far more than what came: an entry of one byte on the wire is
/// decoded into a hundred and twenty (R-LIM-15).
final class PeerLoad: Sendable {
  typealias Waiting = HandlerLane.Waiting

  /// The two lanes in which handlers are counted.
  struct Lanes: Sendable {
    let elections: HandlerLane
    let others: HandlerLane

    init(limit: Int) {
      elections = HandlerLane(limit: limit)
      others = HandlerLane(limit: limit)
    }

    subscript(trafficClass: TrafficClass) -> HandlerLane {
      switch trafficClass {
      case .election: elections
      case .append, .snapshot: others
      }
    }
  }

  private let own: Lanes
  /// What the peer shares with others, if it has not proved who it is.
  private let common: Lanes?
  private let gone: @Sendable () -> Void

  init(limit: Int, common: Lanes? = nil, gone: @escaping @Sendable () -> Void = {}) {
    own = Lanes(limit: limit)
    self.common = common
    self.gone = gone
  }

  deinit {
    gone()
  }

  /// Whether another handler may begin. If not, the stream is told when it should look again.
  ///
  /// Only the event loop of the transport's connections asks, so that nothing comes between this and ``begin(_:weight:)``.
  func hasRoom(for trafficClass: TrafficClass, orTell waiting: @autoclosure () -> Waiting) -> Bool {
    let lane = own[trafficClass]
    guard lane.admits(waiting) else { return false }
    if let shared = common?[trafficClass] {
      guard shared.admits(waiting) else {
        // Of each peer one stream at a time stands in the common line, so that those with many gain nothing by it.
        lane.hold(waiting())
        return false
      }
      shared.leave(waiting)
    }
    lane.leave(waiting)
    return true
  }

  /// What a request weighs: about as many times 2 KiB as it takes of memory, beside the bytes that its window counts.
  static func weight(entryCount: Int) -> Int { 1 + entryCount / 16 }

  /// A handler gets a request. The last one may weigh more than there was room for, or heavy ones would never get in.
  func begin(_ trafficClass: TrafficClass, weight: Int) {
    own[trafficClass].begin(weight)
    common?[trafficClass].begin(weight)
  }

  /// A handler has answered; from any thread.
  func end(_ trafficClass: TrafficClass, weight: Int) {
    own[trafficClass].end(weight)
    common?[trafficClass].end(weight)
  }

  /// A stream that waited is over: nothing of it may stay here.
  func forget(_ waiting: Waiting, _ trafficClass: TrafficClass) {
    own[trafficClass].leave { waiting }
    common?[trafficClass].leave { waiting }
  }

  /// How many streams wait, for tests.
  var waitingCount: Int { own.elections.waiting + own.others.waiting }

  /// The weight of the handlers that work now, for tests.
  var running: (elections: Int, others: Int) { (own.elections.weight, own.others.weight) }
}
