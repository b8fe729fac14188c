package import NIOCore

/// What the suite has to know of the peer under test.
package struct SuiteSettings: Sendable {
  /// The cluster that the peer belongs to.
  package var clusterID: String
  /// The name that the suite bears. Towards a client it is the server that the client dials; towards a server the
  /// beginning of the names of many servers.
  package var serverID: String
  /// The peer's own server ID; `nil` takes it from its HELLO.
  package var targetID: String?
  /// The Raft group of streams.
  package var group: UInt64
  /// Whether the peer hosts several Raft groups, so that its own streams may be of any.
  package var hostsSeveralGroups: Bool
  /// The key that both sides prove to know; `nil` for a peer that takes plaintext.
  package var key: ProofKey?
  /// What the suite says about where it can be dialled.
  package var advertisedAddress: String
  /// The longest that a case may take, 1 second or more. Cases that wait for the peer's clock take longer by that.
  package var caseLimit: TimeAmount
  /// How many cases run at once against a server, 1 or more.
  package var concurrency: Int

  package init(
    clusterID: String, serverID: String = "conformance", targetID: String? = nil, group: UInt64 = 0,
    hostsSeveralGroups: Bool = false, key: ProofKey? = nil,
    advertisedAddress: String = "", caseLimit: TimeAmount = .seconds(10),
    concurrency: Int = 8
  ) {
    self.clusterID = clusterID
    self.serverID = serverID
    self.targetID = targetID
    self.group = group
    self.hostsSeveralGroups = hostsSeveralGroups || group != 0
    self.key = key
    self.advertisedAddress = advertisedAddress
    self.caseLimit = caseLimit
    self.concurrency = concurrency
  }
}
