import StreamMux

/// Who is at the other end of a connection, as far as the handshake has shown it.
struct PeerIdentity: Hashable, Sendable {
  let id: ServerID
  let advertisedAddress: ServerAddress
  /// Grows with each start of the peer's process.
  let incarnation: UInt64
  var standing: Standing
  /// Whether the peer has proved that it knows the cluster's key.
  var hasProvedKey = false

  /// How well the identity was earned (R-PAIR): a connection displaces another only if it stands at least as high.
  enum Standing: Int, Comparable, Sendable {
    /// The peer says so, and nothing else speaks for it.
    case claimed
    /// The connection comes from where our own resolver finds the address at which we were asked to call this peer.
    case addressChecked
    /// The same, and the peer has proved that it is a member of the cluster.
    case memberAndAddressChecked
    /// A certificate shows it.
    case proven

    static func < (left: Standing, right: Standing) -> Bool {
      left.rawValue < right.rawValue
    }
  }

  /// How the peer has shown who it is.
  var method: VerifiedPeer.Method {
    if standing == .proven { .tls } else if hasProvedKey { .sharedKey } else { .plaintext }
  }

  /// The peer's address was confirmed, too. A key proves membership and not which member a peer is: it adds to what the
  /// address shows, and is worth nothing more without it.
  mutating func confirmAddress() {
    standing = max(standing, hasProvedKey ? .memberAndAddressChecked : .addressChecked)
  }

  /// Whether this peer, to whom we have a connection, shows that another connection is of an earlier start of the
  /// same server (R-PAIR-11).
  func provesStale(_ other: PeerIdentity) -> Bool {
    id == other.id && standing >= other.standing && incarnation > other.incarnation
  }
}

/// Names one connection in this process, from the attempt to dial until it is gone.
///
/// IDs are given out in ascending order.
struct LinkID: Hashable, Comparable, Sendable, CustomStringConvertible {
  let rawValue: UInt64

  static func < (left: LinkID, right: LinkID) -> Bool {
    left.rawValue < right.rawValue
  }

  var description: String { "link \(rawValue)" }
}

/// Names one call that waits for a connection.
struct CallTicket: Hashable, Sendable {
  let rawValue: UInt64
}
