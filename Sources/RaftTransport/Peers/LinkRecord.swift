import StreamMux

/// What the peer table knows of one connection.
struct LinkRecord {
  /// Which side dialled.
  enum Direction: Hashable {
    case dialled(DialTarget)
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
  /// Whether it was asked for a sign of life that is still due.
  var isProbed = false

  init(direction: Direction) {
    self.direction = direction
  }

  var isDialled: Bool {
    if case .dialled = direction { true } else { false }
  }

  var isEstablished: Bool {
    if case .established = stage { true } else { false }
  }

  /// Whether the handshake is still going on.
  var isHandshaking: Bool {
    switch stage {
    case .connecting, .challenging, .welcomed: true
    case .established, .draining: false
    }
  }

  var identity: PeerIdentity? {
    switch stage {
    case .connecting: nil
    case .challenging(let identity, _), .welcomed(let identity), .established(let identity, _),
      .draining(let identity):
      identity
    }
  }

  /// The peer's claim was confirmed after the handshake had shown it.
  mutating func confirm() {
    switch stage {
    case .connecting, .draining:
      break
    case .challenging(var identity, let incumbent):
      identity.confirmAddress()
      stage = .challenging(identity, incumbent: incumbent)
    case .welcomed(var identity):
      identity.confirmAddress()
      stage = .welcomed(identity)
    case .established(var identity, let peerGrantsRoute):
      identity.confirmAddress()
      stage = .established(identity, peerGrantsRoute: peerGrantsRoute)
    }
  }

  /// Whether our own calls may run on it, once it is established (R-PAIR-13, R-PAIR-15).
  var mayCarryOurCalls: Bool {
    isDialled || (identity?.standing ?? .claimed) >= .addressChecked
  }

  /// Whether the peer's calls may run on it, once it is established. While the peer has not said so yet, we take it
  /// for granted: a peer that needs a connection of its own will dial again (R-PAIR-16).
  var mayCarryPeerCalls: Bool {
    guard isDialled, case .established(_, let peerGrantsRoute) = stage else { return true }
    return peerGrantsRoute
  }

  /// The peer, if we welcomed it and neither side has asked for an end.
  var welcomedPeer: PeerIdentity? {
    switch stage {
    case .welcomed(let identity), .established(let identity, _): identity
    case .connecting, .challenging, .draining: nil
    }
  }

  /// Whether it makes another connection between the same peers needless: those who would use the other one for
  /// their calls can use this one.
  func covers(_ other: LinkRecord) -> Bool {
    welcomedPeer != nil && (other.isDialled ? mayCarryOurCalls : mayCarryPeerCalls)
  }
}
