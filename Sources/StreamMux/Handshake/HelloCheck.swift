/// What one end has against the HELLO of the other.
struct HelloCheck: Sendable {
  let own: Hello
  let role: Role
  /// The server that the dialler wants; nil or empty: whoever answers.
  let expectedServerID: String?

  /// The agreement with the peer.
  ///
  /// - Throws: the first refusal of: wrong cluster, ourselves, wrong server, no common version, no common
  ///   method. In this order, because an operator who reached the wrong place need not hear of versions.
  func agree(with peer: Hello) throws(Refusal) -> Agreement {
    try checkCluster(peer)
    try checkSelf(peer)
    try checkServer(peer)
    return try Agreement(between: own, and: peer)
  }

  private func checkCluster(_ peer: Hello) throws(Refusal) {
    guard peer.clusterID.hasSameBytes(as: own.clusterID) else {
      throw Refusal(
        code: .wrongCluster,
        text: """
          \(own.serverID) is in cluster \(own.clusterID), \(peer.serverID) in \(peer.clusterID); \
          correct the address or the cluster ID
          """)
    }
  }

  private func checkSelf(_ peer: Hello) throws(Refusal) {
    guard peer.nonce != own.nonce else {
      throw Refusal(
        code: .selfConnection,
        text: "\(own.serverID) reached itself; an address in the configuration of its peers is its own")
    }
    guard !peer.serverID.hasSameBytes(as: own.serverID) else {
      throw Refusal(
        code: .selfConnection,
        text: """
          both ends are \(own.serverID); either it reached itself or two servers were given the same ID
          """)
    }
  }

  private func checkServer(_ peer: Hello) throws(Refusal) {
    let (wanted, found) =
      role == .dialler ? (expectedServerID ?? "", peer.serverID) : (peer.targetServerID, own.serverID)
    guard wanted.isEmpty || wanted.hasSameBytes(as: found) else {
      throw Refusal(
        code: .wrongServer,
        text: "\(wanted) was wanted, \(found) is here; correct the address of \(wanted)")
    }
  }
}

extension String {
  /// Swift's `==` takes two spellings of one character for the same; other languages do not, and an identity
  /// must not depend on the language.
  fileprivate func hasSameBytes(as other: String) -> Bool {
    utf8.elementsEqual(other.utf8)
  }
}
