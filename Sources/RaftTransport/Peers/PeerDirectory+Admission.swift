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
    let (isDialled, isKnown, objection) = state.withLock { state in
      if state.links[link.id]?.nonce == nil { state.links[link.id]?.nonce = hello.nonce }
      state.links[link.id]?.source = source
      return (
        state.table.links[link.id]?.isDialled ?? false,
        state.table.isKnown(id, at: ServerAddress(hello.address)),
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
    var hostToLookUp: String?
    if isDialled {
      identity.confirmAddress()
    } else if identity.standing == .claimed, isKnown, let source,
      let host = (try? HostPort(hello.address))?.host
    {
      // An accepted connection earns a route by coming from where we would dial its peer (R-PAIR-14). Only addresses
      // that we were asked to call are looked up: a stranger's are nobody's business.
      if let literal = HostResolver.literal(host) {
        if literal == source { identity.confirmAddress() }
      } else {
        hostToLookUp = host
      }
    }
    guard hostToLookUp != nil || security.authorization != nil else {
      return admit(link, identity, agreement.method)
    }
    let peer = VerifiedPeer(
      id: id, clusterID: hello.clusterID, advertisedAddress: identity.advertisedAddress,
      sourceAddress: source,
      isDialled: isDialled, method: VerifiedPeer.Method(agreement.method), certificate: certificate)
    // The handshake's own deadline bounds the waiting; an answer that comes later finds the link gone.
    let task = Task { [identity, hostToLookUp] in
      var identity = identity
      if let hostToLookUp, let source {
        let found = try? await self.settings.environment.network
          .addresses(of: hostToLookUp, eventLoop: self.eventLoop).get()
        if found?.contains(source) ?? false { identity.confirmAddress() }
      }
      if let authorization = self.security.authorization,
        case .refuse(let reason) = await authorization(peer)
      {
        return self.refuse(link, Refusal(code: .unauthorized, text: reason))
      }
      self.admit(link, identity, agreement.method)
    }
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
