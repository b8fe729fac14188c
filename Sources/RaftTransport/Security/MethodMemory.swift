import StreamMux

/// The servers with which something better than plaintext was used, so that none of them is met with less again while
/// a migration allows plaintext (R-SEC-9).
///
/// Of TLS only what a peer dialled counts: that it answers to TLS does not mean that it dials with it already.
struct MethodMemory: Sendable {
  /// Far above any cluster. Whoever comes later is not remembered, since forgetting one for another would let a
  /// member clear the memory.
  private static let capacity = 4_096

  private var strongest: [ServerID: AuthenticationMethod] = [:]

  /// A peer has shown itself by a method.
  mutating func record(_ id: ServerID, _ method: AuthenticationMethod, isDialled: Bool) {
    switch method {
    case .none: return
    case .tls where isDialled: return
    case .tls, .sharedKey: break
    }
    guard strongest[id] != nil || strongest.count < Self.capacity else { return }
    if strongest[id] != .tls { strongest[id] = method }
  }

  /// Why a method is too little for a server; `nil` where it is not.
  func objection(to method: AuthenticationMethod, from id: ServerID) -> Refusal? {
    guard method == .none, let used = strongest[id] else { return nil }
    return Refusal(
      code: .unauthenticated,
      text:
        "server \(id) has used \(used) before and does not go back to plaintext; restart this server if it shall"
    )
  }

  /// Whether a server has dialled us with TLS.
  func hasUsedTLS(_ id: ServerID) -> Bool { strongest[id] == .tls }
}
