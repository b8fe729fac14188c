import RaftTransport

/// What a node of the demo says of itself; a node in a process of its own sends it as a line of JSON.
struct NodeObservation: Codable, Sendable, Equatable {
  var connections: [ConnectionObservation]
  var log: ReceivedLog
  var snapshots: ReceivedSnapshots
  /// The votes that this node asked for, one element per peer, ordered by the peers' IDs.
  var votes: [VoteFigures]

  /// The connection with a peer, where there is one; of several the one that carries calls.
  func connection(to peer: String) -> ConnectionObservation? {
    let connections = self.connections.filter { $0.peer == peer }
    return connections.first(where: \.carriesCalls) ?? connections.first
  }

  /// The votes asked of a peer.
  func votes(of peer: String) -> VoteFigures? {
    self.votes.first { $0.peer == peer }
  }
}

/// The entries that a node took, in order.
struct ReceivedLog: Codable, Sendable, Equatable {
  var entries: UInt64 = 0
  var bytes: UInt64 = 0
  /// The digest of the entries' data put one behind the other.
  var sha256 = ""
}

/// The snapshots that a node took.
struct ReceivedSnapshots: Codable, Sendable, Equatable {
  /// How many came whole.
  var completed = 0
  /// The different digests of those; one, if every transfer was right.
  var sha256: [String] = []
  /// Plain bytes of all snapshots, including one that is under way.
  var bytes: UInt64 = 0
}

/// One TCP connection, as the transport's statistics have it.
struct ConnectionObservation: Codable, Sendable, Equatable {
  var peer: String
  var isDialled: Bool
  var carriesCalls: Bool
  var localPort: Int
  var electionStreams: Int
  var appendStreams: Int
  var snapshotStreams: Int
  var bytesReceived: UInt64
  var bytesSent: UInt64
  var callsInFlight: Int
  var receiveWindow: Int
  var roundTripNanoseconds: Int64?
  var outgoingSnapshot: OutgoingSnapshot?

  /// How far a snapshot on its way out has come.
  struct OutgoingSnapshot: Codable, Sendable, Equatable {
    var size: Int64
    var plainBytes: Int64
    var encodedBytes: Int64

    /// Bytes on the wire per plain byte; `nil` before the first byte.
    var ratio: Double? {
      self.plainBytes > 0 ? Double(self.encodedBytes) / Double(self.plainBytes) : nil
    }
  }
}

extension ConnectionObservation {
  /// Takes over what the transport says of a connection.
  init(_ connection: TransportStatistics.Connection) {
    self.peer = connection.peerID.rawValue
    self.isDialled = connection.isDialled
    self.carriesCalls = connection.carriesCalls
    self.localPort = connection.localPort
    self.electionStreams = connection.streams.election
    self.appendStreams = connection.streams.append
    self.snapshotStreams = connection.streams.snapshot
    self.bytesReceived = connection.bytesReceived
    self.bytesSent = connection.bytesSent
    self.callsInFlight = connection.callsInFlight
    self.receiveWindow = connection.receiveWindow
    self.roundTripNanoseconds = connection.roundTrip?.wholeNanoseconds
    self.outgoingSnapshot = connection.snapshots.first.map { snapshot in
      OutgoingSnapshot(
        size: snapshot.size, plainBytes: snapshot.plainBytes, encodedBytes: snapshot.encodedBytes)
    }
  }
}

extension Duration {
  /// The length in nanoseconds, rounded towards zero.
  var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = self.components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
