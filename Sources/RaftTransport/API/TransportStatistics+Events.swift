extension TransportStatistics {
  /// What has happened to a transport's connections since it was opened. The numbers only grow.
  ///
  /// Reasons are the names of the protocol's error codes, `excessiveLoad` for instance; codes of a peer that are in no
  /// registry count as `unknown`, so that no peer can make these tables grow.
  public struct Events: Sendable, Hashable {
    /// Connections that came in, those that were turned away among them.
    public var accepted: UInt64 = 0
    /// Attempts to connect to a peer.
    public var dialled: UInt64 = 0
    /// Attempts that came to no connection: a name that does not resolve, a refusal by the system, no time left.
    public var dialFailures: UInt64 = 0
    /// Connections of either direction whose handshake came to a good end.
    public var established: UInt64 = 0
    /// Connections that were closed without a word, since too many were in the handshake, in all or of one address.
    public var turnedAway: UInt64 = 0
    /// How often the system could not accept a connection, for want of descriptors for instance.
    public var acceptFailures: UInt64 = 0
    /// Connections that another connection with the same peer has displaced.
    public var displacements: UInt64 = 0
    /// Streams that were ended because the peer's request could not be read.
    public var unreadableRequests: UInt64 = 0
    /// Connections that were ended because the peer broke the protocol or a limit, by reason.
    public var violations: [String: UInt64] = [:]
    /// Connections that this side refused in the handshake, by reason.
    public var refusals: [String: UInt64] = [:]
    /// Connections that peers refused in the handshake, by reason.
    public var refusalsByPeers: [String: UInt64] = [:]
    /// Connections that peers ended with an error, by reason.
    public var closuresByPeers: [String: UInt64] = [:]
    /// Connections that ended in another way: `drained`, `endOfInput` (the peer closed its socket or went away),
    /// `transportFailed` (the socket or TLS below failed), `silent`, or the reason for which this side closed them, as `shutdown`.
    public var closures: [String: UInt64] = [:]
    /// Lines about peers that were left out of the log because there were too many of their kind.
    public var logLinesHeldBack: UInt64 = 0

    /// Nothing has happened yet.
    public init() {}
  }
}
