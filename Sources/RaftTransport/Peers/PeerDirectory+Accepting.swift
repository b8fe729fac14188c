import Logging
import NIOCore
import StreamMux
import Synchronization

/// Connections that others make: from the accepted socket to whoever serves what it speaks.
extension PeerDirectory {
  /// Takes an accepted channel; on the channel's event loop.
  func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
    services.counters.add(\.accepted)
    let key = ObjectIdentifier(channel)
    let source = Self.source(of: channel)
    let isWelcome = state.withLock { state -> Bool? in
      if state.table.isShutDown { return nil }
      guard state.table.handshakeCount + state.unrouted.count < maximumHandshakes,
        state.handshakeCount(from: source) < maximumHandshakesPerAddress
      else { return false }
      state.unrouted.insert(channel)
      return true
    }
    guard isWelcome == true else {
      if isWelcome == false { turnAway(source) }
      return channel.close()
    }
    track(channel)
    // The whole handshake has one limit, from here to its end.
    let acceptedAt = now
    return SocketOptions.apply(to: channel).flatMapThrowing {
      try self.awaitFirstByte(channel, acceptedAt: acceptedAt, rules: self.admissionRules)
    }.flatMapErrorThrowing { error in
      self.state.withLock { $0.unrouted.remove(key) }
      throw error
    }
  }

  /// Has a connection served by what its first byte says; on the channel's event loop.
  private func awaitFirstByte(_ channel: any Channel, acceptedAt: NIODeadline, rules: AdmissionRules) throws {
    let deadline = acceptedAt + settings.limits.handshakeTimeout
    let router = FirstByteRouter(deadline: deadline) { spoken in
      let isShutDown = self.state.withLock { state in
        state.unrouted.remove(ObjectIdentifier(channel))
        return state.table.isShutDown
      }
      guard let spoken else {
        if !isShutDown { self.neverSpoke(channel, isLate: self.now >= deadline) }
        return
      }
      if isShutDown { throw TransportError(.shutdown, "", delivery: .notDelivered) }
      switch rules.verdict(on: spoken) {
      case .serveRMUX:
        try self.serveRMUX(channel, over: .plaintext, acceptedAt: acceptedAt)
      case .serveClassic:
        try self.oldPeers.serve(channel, acceptedAt: acceptedAt)
      case .startTLS:
        try self.serveRMUX(channel, over: .tls, acceptedAt: acceptedAt)
      case .refuse(let reason):
        self.services.counters.addRefusal("otherProtocol")
        self.services.peerLog.log(
          .refusal, .warning, "a connection was refused",
          metadata: ["accepted": "\(Self.name(of: channel))", "reason": "\(reason)"], to: self.logger)
        throw TransportError(.refused, reason, delivery: .notDelivered)
      }
    }
    try channel.pipeline.syncOperations.addHandler(router)
  }

  /// A connection has ended before its first byte: it ends as one in the handshake would.
  private func neverSpoke(_ channel: any Channel, isLate: Bool) {
    let closure: Closure = isLate ? .violation(Violation(.handshakeTooLate)) : .endOfInput
    services.counters.add(closure)
    services.peerLog.log(
      .connectionEnd, isLate ? .warning : .debug, "connection ended",
      metadata: ["accepted": "\(Self.name(of: channel))", "reason": "\(closure.explanation)"], to: logger)
  }

  private func serveRMUX(
    _ channel: any Channel, over layer: ConnectionSecurity.Layer, acceptedAt: NIODeadline
  ) throws {
    let link = state.withLock { state in
      let link = Link(id: state.table.accepted(), eventLoop: eventLoop)
      state.links[link.id] = LinkState(link: link, isStarted: true, source: Self.source(of: channel))
      return link
    }
    var logger = self.logger
    logger[metadataKey: "accepted"] = "\(Self.name(of: channel))"
    do {
      let isLoopback = channel.remoteAddress?.isLoopback ?? false
      let connectionSecurity = ConnectionSecurity(security, layer: layer)
      let (engine, _) = try settings.engine(
        role: .acceptor, target: "", isLoopback: isLoopback, security: connectionSecurity,
        startedAt: acceptedAt)
      try security.install(layer, on: channel, role: .acceptor)
      try channel.pipeline.syncOperations.addHandler(
        ConnectionDriver(
          engine: engine, link: link, observer: self, services: services, security: connectionSecurity,
          logger: logger))
    } catch {
      remove(
        link, TransportError(.unreachable, "no connection", delivery: .notDelivered, underlying: error))
      throw error
    }
  }

  /// The address that a connection comes from, without port.
  static func source(of channel: any Channel) -> String? {
    channel.remoteAddress?.ipAddress.map(HostResolver.normalised)
  }

  static func name(of channel: any Channel) -> String {
    channel.remoteAddress.map { "\($0)" } ?? ""
  }
}
