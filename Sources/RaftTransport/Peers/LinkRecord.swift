import StreamMux

/// What the peer table knows of one connection.
struct LinkRecord {
  /// Which side dialled.
  enum Direction: Hashable {
    case dialled(ServerAddress)
    case accepted
  }

  enum Stage {
    /// The handshake has not shown yet who the peer is.
    case connecting
    /// An incumbent is being probed; if it is dead this connection takes its place.
    case challenging(PeerIdentity, incumbent: LinkID)
    /// We said WELCOME and wait for the peer's verdict.
    case welcomed(PeerIdentity)
    /// Both sides said WELCOME.
    case established(PeerIdentity, peerGrantsRoute: Bool)
    /// No new calls; what runs on it ends.
    case draining(PeerIdentity)
  }

  let direction: Direction
  var stage = Stage.connecting

  init(direction: Direction) {
    self.direction = direction
  }

  var isDialled: Bool {
    if case .dialled = direction { true } else { false }
  }

  var isEstablished: Bool {
    if case .established = stage { true } else { false }
  }

  var identity: PeerIdentity? {
    switch stage {
    case .connecting: nil
    case .challenging(let identity, _), .welcomed(let identity), .established(let identity, _),
      .draining(let identity):
      identity
    }
  }

  /// Whether our own calls may run on it, once it is established.
  var mayCarryOurCalls: Bool {
    isDialled || (identity?.standing ?? .claimed) >= .addressChecked
  }

  /// Whether the peer's calls may run on it, once it is established. While the peer has not said so yet, we take it
  /// for granted: a peer that needs a connection of its own will dial again.
  var mayCarryPeerCalls: Bool {
    guard isDialled else { return true }
    if case .established(_, let peerGrantsRoute) = stage { return peerGrantsRoute }
    return true
  }

  /// Whether it makes a new connection between the same peers needless.
  func covers(_ other: LinkRecord) -> Bool {
    switch stage {
    case .welcomed, .established: other.isDialled ? mayCarryOurCalls : mayCarryPeerCalls
    case .connecting, .challenging, .draining: false
    }
  }
}
