/// What a `MuxTransport` is doing at one moment; see `MuxTransport.statistics()`.
public struct TransportStatistics: Sendable, Hashable {
  /// The live connections, ordered by the peers' IDs, those of the classic protocol behind the others.
  public var connections: [Connection]
  /// What has happened to connections since the transport was opened.
  public var events: Events

  /// Figures of a transport; for transports and their tests.
  public init(connections: [Connection], events: Events = Events()) {
    self.connections = connections
    self.events = events
  }

  /// One TCP connection.
  public struct Connection: Sendable, Hashable {
    /// Who is at the other end; with the classic protocol whom a call was for, or empty.
    public var peerID: ServerID
    /// The address that the peer advertises; with the classic protocol the one that was dialled, or empty.
    public var peerAddress: ServerAddress
    /// What is spoken on it.
    public var peerProtocol: PeerProtocol
    /// How the peer has shown who it is.
    public var method: VerifiedPeer.Method
    /// Whether this side dialled.
    public var isDialled: Bool
    /// Whether this side may send its own calls on it.
    public var carriesCalls: Bool
    /// The TCP port at this end.
    public var localPort: Int
    /// The TCP port at the other end.
    public var remotePort: Int
    /// Open streams of both sides.
    public var streams: StreamCounts
    /// Bytes read from the socket, frame headers included.
    public var bytesReceived: UInt64
    /// Bytes written to the socket, frame headers included.
    public var bytesSent: UInt64
    /// Calls of this side that wait for their answers; pipelined requests count one each.
    public var callsInFlight: Int
    /// The largest window that this side gives a stream now, in bytes.
    public var receiveWindow: Int
    /// The smoothed round-trip time; `nil` until it was measured.
    public var roundTrip: Duration?
    /// The least round-trip time seen; `nil` until it was measured.
    public var leastRoundTrip: Duration?
    /// What the path carries, in bytes per second, as far as appends and snapshots have shown it; `nil` before.
    public var pathRate: Int?
    /// Pauses of appends and snapshots, made so that the path's queue stays short.
    public var bulkPauses: UInt64
    /// Snapshots on their way out.
    public var snapshots: [Snapshot]

    /// Figures of a transport; for transports and their tests.
    public init(
      peerID: ServerID, peerAddress: ServerAddress, peerProtocol: PeerProtocol = .rmux,
      method: VerifiedPeer.Method = .plaintext, isDialled: Bool, carriesCalls: Bool, localPort: Int,
      remotePort: Int, streams: StreamCounts, bytesReceived: UInt64, bytesSent: UInt64, callsInFlight: Int,
      receiveWindow: Int, roundTrip: Duration? = nil, leastRoundTrip: Duration? = nil, pathRate: Int? = nil,
      bulkPauses: UInt64 = 0, snapshots: [Snapshot]
    ) {
      self.peerID = peerID
      self.peerAddress = peerAddress
      self.peerProtocol = peerProtocol
      self.method = method
      self.isDialled = isDialled
      self.carriesCalls = carriesCalls
      self.localPort = localPort
      self.remotePort = remotePort
      self.streams = streams
      self.bytesReceived = bytesReceived
      self.bytesSent = bytesSent
      self.callsInFlight = callsInFlight
      self.receiveWindow = receiveWindow
      self.roundTrip = roundTrip
      self.leastRoundTrip = leastRoundTrip
      self.pathRate = pathRate
      self.bulkPauses = bulkPauses
      self.snapshots = snapshots
    }
  }

  /// Streams by traffic class.
  public struct StreamCounts: Sendable, Hashable {
    /// Votes, pre-votes, TimeoutNow and heartbeats.
    public var election: Int
    /// AppendEntries, unary and pipelines.
    public var append: Int
    /// Snapshots.
    public var snapshot: Int

    /// No streams, as on connections of the classic protocol.
    public static let none = StreamCounts(election: 0, append: 0, snapshot: 0)

    /// Figures of a transport; for transports and their tests.
    public init(election: Int, append: Int, snapshot: Int) {
      self.election = election
      self.append = append
      self.snapshot = snapshot
    }
  }

  /// How far an outgoing snapshot has come.
  public struct Snapshot: Sendable, Hashable {
    /// The announced size in bytes.
    public var size: Int64
    /// Plain bytes handed to the connection.
    public var plainBytes: Int64
    /// Bytes that these took on the wire.
    public var encodedBytes: Int64

    /// Figures of a transport; for transports and their tests.
    public init(size: Int64, plainBytes: Int64, encodedBytes: Int64) {
      self.size = size
      self.plainBytes = plainBytes
      self.encodedBytes = encodedBytes
    }
  }
}
