import StreamMux

/// What the layer between engine and socket tells the driver when its own handshake is over.
struct ProtectionEstablished: Sendable {
  /// What the peer has shown; it leads to one of our trust roots.
  let certificate: PeerCertificate
}

/// Why the layer between engine and socket gave up.
enum ProtectionFailure: Error, Equatable {
  /// We do not believe the peer.
  case refused(Refusal)
  /// The peer does not believe us.
  case refusedByPeer(Refusal)
  /// The connection broke; the text says what that may mean.
  case lost(String)

  /// How the connection ended.
  var closure: Closure {
    switch self {
    case .refused(let refusal): .refused(refusal)
    case .refusedByPeer(let refusal): .refusedByPeer(refusal)
    case .lost(let text): .transportFailed(text)
    }
  }
}
