import RaftTransport

/// A transport that can say what it is doing; the demo shows that.
protocol NodeTransport: Transport {
  /// The connections as they are now.
  func connections() async -> [ConnectionObservation]
}

/// Opens a node's transport on a port of the system's choice.
typealias OpenTransport = @Sendable (TransportConfiguration) async throws -> any NodeTransport

/// Another node, as calls name it.
struct Peer: Codable, Sendable, Hashable {
  var id: String
  /// `host:port`.
  var address: String

  /// The port of the node's listener; `nil` if the address has none.
  var port: Int? {
    self.address.lastIndex(of: ":").flatMap { Int(self.address[self.address.index(after: $0)...]) }
  }
}

/// What all nodes of one demo have in common.
struct NodeSettings: Codable, Sendable, Equatable {
  var clusterID: String
  var compression: CompressionChoice
  /// AppendEntries requests under way at once per follower.
  var depth: Int
  var security = SecurityChoice.plaintext
}
