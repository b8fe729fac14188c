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
  /// What the suite says about where it can be dialled.
  package var advertisedAddress: String
  /// The longest that a case may take, 1 second or more. Cases that wait for the peer's clock take longer by that.
  package var caseLimit: TimeAmount
  /// How many cases run at once against a server, 1 or more.
  package var concurrency: Int

  package init(
    clusterID: String, serverID: String = "conformance", targetID: String? = nil, group: UInt64 = 0,
    advertisedAddress: String = "", caseLimit: TimeAmount = .seconds(10), concurrency: Int = 8
  ) {
    self.clusterID = clusterID
    self.serverID = serverID
    self.targetID = targetID
    self.group = group
    self.advertisedAddress = advertisedAddress
    self.caseLimit = caseLimit
    self.concurrency = concurrency
  }
}
