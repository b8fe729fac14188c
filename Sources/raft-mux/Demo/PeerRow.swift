/// What the table shows of one peer, seen from the node that asks it for votes.
struct PeerRow: Sendable, Equatable, Codable {
  var node: String
  var peer: String
  /// TCP connections between the two, from the operating system; `nil` where it does not say.
  var sockets: Int?
  var electionStreams = 0
  var appendStreams = 0
  var snapshotStreams = 0
  var bytesSent: UInt64 = 0
  var bytesReceived: UInt64 = 0
  var callsInFlight = 0
  /// The largest window that the peer gives a stream of this node, in bytes; `nil` where it does not say.
  var window: Int?
  var roundTripNanoseconds: Int64?
  var votes: VoteFigures?
  var snapshot: ConnectionObservation.OutgoingSnapshot?

  /// The leader's rows, one per follower, and one for the followers among themselves.
  static func rows(_ observation: ClusterObservation, followers: [String]) -> [PeerRow] {
    var rows = followers.map { self.row(observation, node: "leader", peer: $0) }
    for (position, follower) in followers.enumerated() {
      rows += followers[(position + 1)...].map { self.row(observation, node: follower, peer: $0) }
    }
    return rows
  }

  private static func row(_ observation: ClusterObservation, node: String, peer: String) -> PeerRow {
    var row = PeerRow(node: node, peer: peer)
    row.sockets = observation.connections?.byPair[ConnectionCount.Pair(node, peer)]
    row.votes = observation.nodes[node]?.votes(of: peer)
    row.window = observation.nodes[peer]?.connection(to: node)?.receiveWindow
    guard let connection = observation.nodes[node]?.connection(to: peer) else { return row }
    row.electionStreams = connection.electionStreams
    row.appendStreams = connection.appendStreams
    row.snapshotStreams = connection.snapshotStreams
    row.bytesSent = connection.bytesSent
    row.bytesReceived = connection.bytesReceived
    row.callsInFlight = connection.callsInFlight
    row.roundTripNanoseconds = connection.roundTripNanoseconds
    row.snapshot = connection.outgoingSnapshot
    return row
  }
}
