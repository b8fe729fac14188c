internal import DequeModule

/// Control frames that wait for the socket.
///
/// Nothing that a peer can provoke is kept as a list of frames: credits, resets and stops are marks on
/// their stream, stream credit is a mark per class, and of the PONGs only the newest are kept. So the queue
/// cannot grow beyond the number of live streams and a constant, however long the socket does not move
/// (R-LIM-8).
package struct ControlQueue: Sendable {
  package enum Item: Equatable, Sendable {
    case goAway(GoAway)
    case pong(UInt64)
    case ping(UInt64)
    case ignorable
    /// STREAMS of this class, with the number that is right when the frame is written.
    case streams(TrafficClass)
    /// Whatever is due for this stream.
    case stream(StreamKey)
  }

  /// PINGs of our own that wait: the newest.
  package static let pingLimit = 8

  private let pongLimit: Int
  private var goAways: Deque<GoAway> = []
  private var pongs: Deque<UInt64> = []
  private var pings: Deque<UInt64> = []
  private var isIgnorableDue = false
  private var classesDue = PerClass<Bool> { _ in false }
  private var streams: Deque<StreamKey> = []

  /// - Parameter pongLimit: more PONGs than this are of no use: the newest tell the peer everything.
  package init(pongLimit: Int) {
    precondition(pongLimit > 0)
    self.pongLimit = pongLimit
  }

  /// Frames that wait, counting a stream as one.
  package var count: Int {
    goAways.count + pongs.count + pings.count + (isIgnorableDue ? 1 : 0) + streams.count
      + TrafficClass.allCases.count { classesDue[$0] }
  }

  package var isEmpty: Bool {
    streams.isEmpty && pongs.isEmpty && pings.isEmpty && goAways.isEmpty && !isIgnorableDue
      && !TrafficClass.allCases.contains { classesDue[$0] }
  }

  /// At most three are ever sent: "soon", the last id, an error.
  package mutating func append(_ goAway: GoAway) {
    goAways.append(goAway)
  }

  package mutating func appendPong(_ payload: UInt64) {
    if pongs.count == pongLimit { pongs.removeFirst() }
    pongs.append(payload)
  }

  package mutating func appendPing(_ payload: UInt64) {
    if pings.count == Self.pingLimit { pings.removeFirst() }
    pings.append(payload)
  }

  package mutating func markIgnorable() { isIgnorableDue = true }

  package mutating func markStreams(_ trafficClass: TrafficClass) { classesDue[trafficClass] = true }

  /// The caller keeps on the stream that it is in the queue, and calls this once per stay.
  package mutating func append(_ key: StreamKey) { streams.append(key) }

  package mutating func popNext() -> Item? {
    // A PING behind a GOAWAY asks whether that was read, so it must not overtake it.
    if let goAway = goAways.popFirst() { return .goAway(goAway) }
    if let payload = pongs.popFirst() { return .pong(payload) }
    if let payload = pings.popFirst() { return .ping(payload) }
    if isIgnorableDue {
      isIgnorableDue = false
      return .ignorable
    }
    for trafficClass in TrafficClass.allCases where classesDue[trafficClass] {
      classesDue[trafficClass] = false
      return .streams(trafficClass)
    }
    return streams.popFirst().map(Item.stream)
  }

  /// The connection ends: only the GOAWAY that says so is of use now.
  package mutating func removeAll() {
    self = ControlQueue(pongLimit: pongLimit)
  }
}
