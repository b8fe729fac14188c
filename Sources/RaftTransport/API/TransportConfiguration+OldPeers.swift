extension TransportConfiguration {
  /// Which protocols a transport speaks, when it is called and when it calls.
  public struct ProtocolChoice: Hashable, Sendable, CustomStringConvertible {
    /// The text for logs.
    public let description: String

    private init(_ description: String) {
      self.description = description
    }

    /// Serves both protocols and dials with RMUX. A peer that proves to speak the old one only (it closes an RMUX
    /// connection without a byte, and then answers a call of the old protocol) is called with that for a while
    /// (``OldPeers/memory``); a peer that has ever spoken RMUX is not.
    public static let preferRMUX = ProtocolChoice("prefer RMUX")

    /// Neither serves nor dials the old protocol.
    public static let rmuxOnly = ProtocolChoice("RMUX only")

    /// Neither serves nor dials RMUX: the transport behaves as one of hashicorp/raft.
    public static let classicOnly = ProtocolChoice("classic only")
  }

  /// How a transport deals with peers that speak hashicorp/raft's own protocol.
  ///
  /// The bytes that such peers can make this server hold, decoded entries among them with 120 bytes each, are at most
  /// `receiveBudget + 2 * (limits.maximumMessageBytes + 30 MiB) + maximumConnections * 256 KiB`.
  public struct OldPeers: Sendable, Hashable {
    /// How many idle connections to one address are kept for later calls, 0 or more: upstream's `maxPool`.
    public var maximumIdleConnections: Int

    /// How many connections of old peers are served at once, 1 or more; further ones are closed. One address has half of
    /// them at most, but 16 in any case.
    public var maximumConnections: Int

    /// How many calls to one address may be under way at once, 1 or more; each has a connection of its own.
    public var maximumCalls: Int

    /// How long a peer that proved to be an old one is called with the old protocol before RMUX is tried again; more
    /// than zero.
    public var memory: Duration

    /// The longest time without a byte inside of a request, a snapshot or an answer, until the connection is closed;
    /// more than zero. Between requests a connection may be idle for as long as it lives.
    public var stall: Duration

    /// The longest time from the beginning of a connection until its first request is here, beside a second for each
    /// ``leastRate`` bytes of it; more than zero. Then the connection is closed.
    public var firstRequest: Duration

    /// The longest time that a later request, or the body of a snapshot, may take from its first byte to its last one,
    /// beside a second for each ``leastRate`` bytes of it; more than zero. Time in which this server does not read, since
    /// others of its peers keep it busy or a handler is slow, does not count.
    public var request: Duration

    /// How many bytes give a request one second more, 1 or more, so that whoever sends that fast has no limit in time.
    /// What was earned is never more than ``request``.
    public var leastRate: Int

    /// Bytes of requests and snapshots of all old peers together that wait to be handled, 1 MiB to 1 TiB. Beyond it
    /// one connection at a time is read.
    public var receiveBudget: Int

    /// Peers that are known to speak RMUX and are never called with the old protocol, whatever they do; see
    /// ``MuxTransport/peersThatSpokeRMUX``.
    public var knownToSpeakRMUX: KnownPeers

    /// 3 idle connections for each address, 256 of peers, 1024 calls, 5 minutes of memory, 60 s without a byte, 5 s for
    /// the first request, 5 minutes for others, 16 KiB for a second, 256 MiB.
    public static let defaults = OldPeers()

    /// Values with defaults for everything that is not named.
    public init(
      maximumIdleConnections: Int = 3,
      maximumConnections: Int = 256,
      maximumCalls: Int = 1024,
      memory: Duration = .seconds(300),
      stall: Duration = .seconds(60),
      firstRequest: Duration = .seconds(5),
      request: Duration = .seconds(300),
      leastRate: Int = 16 << 10,
      receiveBudget: Int = 256 << 20,
      knownToSpeakRMUX: KnownPeers = KnownPeers()
    ) {
      self.maximumIdleConnections = maximumIdleConnections
      self.maximumConnections = maximumConnections
      self.maximumCalls = maximumCalls
      self.memory = memory
      self.stall = stall
      self.firstRequest = firstRequest
      self.request = request
      self.leastRate = leastRate
      self.receiveBudget = receiveBudget
      self.knownToSpeakRMUX = knownToSpeakRMUX
    }

    /// How many of the connections that are served may come from one address, so that it cannot keep all others out.
    var maximumConnectionsPerAddress: Int { max(16, (maximumConnections + 1) / 2) }
  }

  /// Peers by their names. Calls that name an ID go by the IDs, those that do not by the addresses.
  public struct KnownPeers: Sendable, Hashable {
    /// Server IDs.
    public var ids: Set<ServerID>
    /// Addresses at which such servers were found.
    public var addresses: Set<ServerAddress>

    /// Names peers; nobody unless said otherwise.
    public init(ids: Set<ServerID> = [], addresses: Set<ServerAddress> = []) {
      self.ids = ids
      self.addresses = addresses
    }
  }
}

extension TransportConfiguration {
  /// Whether the old protocol may be served and dialled: the one place that decides it (R-CLS-24, R-CLS-25). It has
  /// neither encryption nor names, so whatever asks for these rules it out.
  var allowsClassic: Bool {
    let isJudged = security.authorization != nil
    return peerProtocol != .rmuxOnly && security.allowsUnprotectedPeers && !isJudged
  }

  /// Whether RMUX may be served and dialled.
  var allowsRMUX: Bool { peerProtocol != .classicOnly }

  /// What is served on accepted connections.
  var admissionRules: AdmissionRules {
    AdmissionRules(
      servesRMUX: allowsRMUX, servesClassic: allowsClassic, startsTLS: allowsRMUX && security.acceptsTLS)
  }
}
