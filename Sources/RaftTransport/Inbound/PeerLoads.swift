import StreamMux
import Synchronization

/// The loads of all peers that are connected, or for which handlers still work.
final class PeerLoads: Sendable {
  /// Who is counted as one peer: a server ID, as far as the connection has proved it. Who only says that it is some
  /// server takes nothing away from who proves it, nor from who says the same at another address.
  enum Key: Hashable, Sendable {
    /// A certificate names the server.
    case certificate(ServerID)
    /// The peer knows the cluster's key, and says which member it is.
    case sharedKey(ServerID)
    /// The peer says who it is, and comes from this IP address.
    case claim(ServerID, source: String?)

    init(_ id: ServerID, _ method: AuthenticationMethod, source: String?) {
      self =
        switch method {
        case .tls: .certificate(id)
        case .sharedKey: .sharedKey(id)
        case .none: .claim(id, source: source)
        }
    }
  }

  private struct Entry {
    weak let load: PeerLoad?
  }

  private let limit: Int
  /// What all peers share that only claim to be somebody, for they can be as many as they like.
  private let claimed: PeerLoad.Lanes
  private let entries = Mutex<[Key: Entry]>([:])

  /// - Parameters:
  ///   - limit: The weight with which no further handler of a peer begins.
  ///   - claimedLimit: The same of all peers together that have proved nothing.
  init(limit: Int, claimedLimit: Int) {
    self.limit = limit
    claimed = PeerLoad.Lanes(limit: claimedLimit)
  }

  /// The load of a peer, the same for all its connections.
  func load(of peer: Key) -> PeerLoad {
    entries.withLock { entries in
      if let load = entries[peer]?.load { return load }
      var common: PeerLoad.Lanes?
      if case .claim = peer { common = claimed }
      let load = PeerLoad(limit: limit, common: common) { [weak self] in self?.forget(peer) }
      entries[peer] = Entry(load: load)
      return load
    }
  }

  /// Forgets a peer without connections and handlers.
  private func forget(_ peer: Key) {
    let newer = entries.withLock { entries -> PeerLoad? in
      // It may have come back meanwhile.
      if let newer = entries[peer]?.load { return newer }
      entries[peer] = nil
      return nil
    }
    // If this was its last owner it ends outside the lock.
    _ = consume newer
  }

  /// The weight of the requests that handlers of all peers have, for tests.
  var weight: Int {
    let loads = entries.withLock { entries in entries.values.compactMap(\.load) }
    return loads.reduce(0) { $0 + $1.running.elections + $1.running.others }
  }

  /// How many peers are known, for tests.
  var count: Int { entries.withLock { $0.count } }
}
