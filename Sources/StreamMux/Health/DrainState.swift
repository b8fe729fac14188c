package import NIOCore

/// The end of a connection in good order: GOAWAY in both directions.
///
/// Ours goes out twice. The first only says "soon": what the peer opened before it could read that is on
/// its way and will be served. The second, a round trip later, names the last stream that is (R-DRN-1 to
/// R-DRN-9).
package struct DrainState: Equatable, Sendable {
  package enum Action: Equatable, Sendable {
    case none
    /// Send the announcement, and a PING behind it.
    case announce(GoAway)
    /// Send the last GOAWAY.
    case conclude(GoAway)
  }

  /// What a GOAWAY of the peer asks for.
  package enum Reaction: Equatable, Sendable {
    /// Open no more streams.
    case stopOpening
    /// The same, and own streams above `lastStream` were never processed.
    case rejectStreams(above: UInt64)
  }

  private enum Outgoing: Equatable, Sendable {
    case open
    case announced(GoAway, until: NIODeadline)
    case concluded(lastStream: UInt64)
  }

  private enum Incoming: Equatable, Sendable {
    case open
    case soon
    case concluded(lastStream: UInt64)
  }

  private var outgoing = Outgoing.open
  private var incoming = Incoming.open

  package init() {}

  /// Whether new streams may be opened by us.
  package var mayOpen: Bool { outgoing == .open && incoming == .open }

  /// Whether a drain of ours has begun.
  package var isDraining: Bool { outgoing != .open }

  /// Whether our last GOAWAY is out: with no stream left the connection is over.
  package var isConcluded: Bool {
    if case .concluded = outgoing { true } else { false }
  }

  /// Whether the peer's GOAWAY has come, the announcement or the last one.
  package var isPeerDraining: Bool { incoming != .open }

  /// Whether a stream that the peer opens now is refused: it lies above the last one that we named.
  package func refuses(_ stream: UInt64) -> Bool {
    if case .concluded(let last) = outgoing { stream > last } else { false }
  }

  /// Begins to drain. Again, it changes nothing.
  ///
  /// - Parameter pause: how long the peer's streams may still arrive: a round trip.
  package mutating func drain(
    code: ErrorCode, text: String, pause: TimeAmount, now: NIODeadline
  ) -> Action {
    guard case .open = outgoing else { return .none }
    outgoing = .announced(GoAway(lastStream: 0, code: code, text: text), until: now + pause)
    return .announce(GoAway(lastStream: ProtocolConstants.soon, code: code, text: text))
  }

  /// When ``handleTimeout(highestPeerStream:now:)`` has something to do.
  package var deadline: NIODeadline? {
    if case .announced(_, let until) = outgoing { until } else { nil }
  }

  /// Early calls are harmless.
  package mutating func handleTimeout(highestPeerStream: UInt64, now: NIODeadline) -> Action {
    guard case .announced(_, let until) = outgoing, now >= until else { return .none }
    return conclude(highestPeerStream: highestPeerStream)
  }

  /// The PING behind the announcement was answered: whatever the peer opened before it read that is here.
  package mutating func receivedPong(highestPeerStream: UInt64) -> Action {
    conclude(highestPeerStream: highestPeerStream)
  }

  /// Ends at once, for an error: the GOAWAY to send as the last frame.
  package mutating func fail(code: ErrorCode, text: String, highestPeerStream: UInt64) -> GoAway {
    var last = highestPeerStream
    if case .concluded(let named) = outgoing { last = min(last, named) }
    outgoing = .concluded(lastStream: last)
    return GoAway(lastStream: last, code: code, text: text)
  }

  private mutating func conclude(highestPeerStream: UInt64) -> Action {
    guard case .announced(let goAway, _) = outgoing else { return .none }
    outgoing = .concluded(lastStream: highestPeerStream)
    return .conclude(GoAway(lastStream: highestPeerStream, code: goAway.code, text: goAway.text))
  }

  /// Takes a GOAWAY of the peer.
  ///
  /// - Throws: ``Violation/Sin/lastStreamGrew(from:to:)``.
  package mutating func receive(_ goAway: GoAway) throws(Violation) -> Reaction {
    if case .concluded(let last) = incoming, goAway.lastStream > last {
      throw Violation(.lastStreamGrew(from: last, to: goAway.lastStream))
    }
    guard !goAway.isSoon else {
      incoming = .soon
      return .stopOpening
    }
    incoming = .concluded(lastStream: goAway.lastStream)
    return .rejectStreams(above: goAway.lastStream)
  }
}
