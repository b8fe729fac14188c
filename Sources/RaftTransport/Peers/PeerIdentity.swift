import StreamMux

/// Who is at the other end of a connection, as far as the handshake has shown it.
struct PeerIdentity: Hashable, Sendable {
  let id: ServerID
  let advertisedAddress: ServerAddress
  /// Grows with each start of the peer's process.
  let incarnation: UInt64
  let standing: Standing

  /// How well the identity was earned (R-PAIR): a connection displaces another only if it stands at least as high.
  enum Standing: Int, Comparable, Sendable {
    /// The peer says so, and nothing else speaks for it.
    case claimed
    /// The connection joins us with an address that our own configuration or resolver gives for this peer.
    case addressChecked
    /// Cryptography shows it.
    case proven

    static func < (left: Standing, right: Standing) -> Bool {
      left.rawValue < right.rawValue
    }
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
