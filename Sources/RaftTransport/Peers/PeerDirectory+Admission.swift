import Logging
import NIOCore
import StreamMux
import Synchronization

/// From what the handshake has shown of a peer to the peer table's judgement.
extension PeerDirectory {
  func connection(
    _ link: Link, authenticated hello: Hello, _ agreement: Agreement, _ endpoints: Endpoints,
    certificate: PeerCertificate?
  ) {
    let id = ServerID(hello.serverID)
    let source = endpoints.remoteIP.map(HostResolver.normalised)
    let (isDialled, objection) = state.withLock { state in
      if state.links[link.id]?.nonce == nil { state.links[link.id]?.nonce = hello.nonce }
      state.links[link.id]?.source = source
      return (
        state.table.links[link.id]?.isDialled ?? false,
        state.methods.objection(to: agreement.method, from: id)
      )
    }
    if let objection { return refuse(link, objection) }
    if agreement.method == .none, security.migration.acceptsPlaintext {
      services.peerLog.log(
        .plaintext, .warning, "a peer speaks plaintext, which the migration allows",
        metadata: ["peer": "\(id)", "source": "\(source ?? "")"], to: logger)
    }
    var identity = PeerIdentity(
      id: id, advertisedAddress: ServerAddress(hello.address), incarnation: hello.incarnation,
      standing: agreement.method == .tls ? .proven : .claimed, hasProvedKey: agreement.method == .sharedKey)
    if isDialled { identity.confirmAddress() }
    guard let authorization = security.authorization else {
      return admit(link, identity, from: source, agreement.method)
    }
    let peer = VerifiedPeer(
      id: id, clusterID: hello.clusterID, advertisedAddress: identity.advertisedAddress,
      sourceAddress: source,
      isDialled: isDialled, method: VerifiedPeer.Method(agreement.method), certificate: certificate)
    wait(on: link) { [identity] in
      if case .refuse(let reason) = await authorization(peer) {
        return self.refuse(link, Refusal(code: .unauthorized, text: reason))
      }
      self.admit(link, identity, from: source, agreement.method)
    }
  }

  /// Hands a peer that may speak to the table, once it is clear whether it comes from where it says that it lives.
  private func admit(
    _ link: Link, _ identity: PeerIdentity, from source: String?, _ method: AuthenticationMethod
  ) {
    var identity = identity
    switch addressCheck(of: identity, from: source) {
    case .addsNothing:
      admit(link, identity, method)
    case .holds:
      identity.confirmAddress()
      admit(link, identity, method)
    case .needs(let host, let source):
      wait(on: link) { [identity] in
        var identity = identity
        let found = try? await self.addressChecks.addresses(of: host)
        if found?.contains(source) ?? false { identity.confirmAddress() }
        self.admit(link, identity, method)
      }
    }
  }

  private enum AddressCheck {
    case holds
    case addsNothing
    /// The host has to be looked up and its addresses compared with the source.
    case needs(host: String, source: String)
  }

  /// An accepted connection earns a route by coming from where we would dial its peer (R-PAIR-14). Only addresses that
  /// we were asked to call are looked up: a stranger's are nobody's business.
  private func addressCheck(of identity: PeerIdentity, from source: String?) -> AddressCheck {
    let isKnown = state.withLock { $0.table.isKnown(identity.id, at: identity.advertisedAddress) }
    guard identity.standing == .claimed, isKnown, let source,
      let host = (try? HostPort(identity.advertisedAddress.rawValue))?.host
    else { return .addsNothing }
    guard let literal = HostResolver.literal(host) else { return .needs(host: host, source: source) }
    return literal == source ? .holds : .addsNothing
  }

  /// Does what takes a while before a peer is admitted. The handshake's own deadline bounds it; what comes later finds
  /// the link gone.
  private func wait(on link: Link, _ body: @escaping @Sendable () async -> Void) {
    let task = Task { await body() }
    let isGone = state.withLock { state in
      state.links[link.id]?.admission = task
      return state.links[link.id] == nil
    }
    if isGone { task.cancel() }
  }

  private func admit(_ link: Link, _ identity: PeerIdentity, _ method: AuthenticationMethod) {
    state.withLock { state in
      guard let record = state.table.links[link.id] else { return }
      state.methods.record(identity.id, method, isDialled: record.isDialled)
    }
    update { $0.authenticated(link.id, identity, now: now) }
  }

  private func refuse(_ link: Link, _ refusal: Refusal) {
    link.send(.perform { $0.refuse(refusal) })
  }
}

extension VerifiedPeer.Method {
  init(_ method: AuthenticationMethod) {
    self =
      switch method {
      case .none: .plaintext
      case .tls: .tls
      case .sharedKey: .sharedKey
      }
  }
}
