import Logging
package import NIOCore
import RaftWire

/// The connections of old peers that this server serves, and what they share.
///
/// Confined to the event loop.
package final class ClassicListener {
  let eventLoop: any EventLoop
  let services: InboundServices
  let patience: ClassicPatience
  let logger: Logger
  private let maximumConnections: Int
  private let maximumConnectionsPerAddress: Int
  /// Whether a migration is under way, in which each connection without protection is told of (R-SEC-21).
  private let warnsOfPlaintext: Bool
  private var connections: [ObjectIdentifier: ClassicServer] = [:]
  /// Connections that are gone and whose last requests handlers still have: they keep their places, or whoever sends a
  /// request and goes away could have any number of them (R-CLS-9).
  private var departed: [ObjectIdentifier: ClassicServer] = [:]
  private var budget: ClassicReadBudget<ObjectIdentifier>
  /// Connections that want to be read and may not.
  private var waiting: [ObjectIdentifier: ClassicServer] = [:]
  private var isShutDown = false

  init(configuration: TransportConfiguration, services: InboundServices, eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    self.services = services
    patience = ClassicPatience(configuration.oldPeers)
    maximumConnections = configuration.oldPeers.maximumConnections
    maximumConnectionsPerAddress = configuration.oldPeers.maximumConnectionsPerAddress
    warnsOfPlaintext = configuration.security.migration.acceptsPlaintext
    budget = ClassicReadBudget(limit: configuration.oldPeers.receiveBudget)
    logger = configuration.logger
  }

  /// A listener by itself, whose requests are taken by hand.
  package convenience init(alone configuration: TransportConfiguration, eventLoop: any EventLoop) {
    self.init(
      configuration: configuration, services: InboundServices(configuration: configuration),
      eventLoop: eventLoop)
  }

  /// The next request, if there is one.
  package func takeRequest() -> IncomingRPC? { services.queue.takeNow() }

  /// Serves a connection, whose first byte is about to come through the channel's pipeline.
  ///
  /// - Parameter acceptedAt: Since when it stands.
  package func serve(_ channel: any Channel, acceptedAt: NIODeadline) throws {
    if isShutDown { throw TransportError(.shutdown, "", delivery: .notDelivered) }
    let source = PeerDirectory.source(of: channel)
    let places = [connections, departed]
    guard places.reduce(0, { $0 + $1.count }) < maximumConnections,
      places.reduce(0, { $0 + $1.values.count { $0.source == source } }) < maximumConnectionsPerAddress
    else {
      let reason =
        "\(connections.count) connections of old peers are served; raise `oldPeers.maximumConnections`"
      services.counters.addRefusal("tooManyOldPeers")
      services.peerLog.log(
        .turnedAway, .warning, "too many connections of old peers; one was closed",
        metadata: ["reason": "\(reason)", "address": "\(source ?? "")"], to: logger)
      throw TransportError(.refused, reason, delivery: .notDelivered)
    }
    if warnsOfPlaintext {
      services.peerLog.log(
        .plaintext, .warning, "a peer speaks the old protocol in plaintext, which the migration allows",
        metadata: ["source": "\(source ?? "")"], to: logger)
    }
    var logger = self.logger
    logger[metadataKey: "accepted"] = "\(channel.remoteAddress.map { "\($0)" } ?? "")"
    logger.debug("a peer speaks the old protocol")
    let server = ClassicServer(listener: self, source: source, acceptedAt: acceptedAt, logger: logger)
    connections[ObjectIdentifier(server)] = server
    do {
      try ClassicSocket.prepareAccepted(channel)
      try channel.pipeline.syncOperations.addHandler(server)
    } catch {
      ended(server, stillHolding: 0)
      throw error
    }
  }

  /// A connection is gone; a handler may still have its last request.
  func ended(_ server: ClassicServer, stillHolding bytes: Int) {
    let key = ObjectIdentifier(server)
    connections[key] = nil
    waiting[key] = nil
    if bytes > 0 { departed[key] = server }
    note(server, holds: bytes)
  }

  /// The handler of a connection that is gone has answered.
  func handlerEnded(behind server: ClassicServer) {
    departed[ObjectIdentifier(server)] = nil
    note(server, holds: 0)
  }

  /// Every connection answers one more request and is closed then (R-CLS-11).
  package func retire() {
    for server in connections.values { server.retire() }
  }

  /// Closes the connections on which nothing is under way; the others end with their answers.
  func retireAndCloseIdle() {
    for server in connections.values { server.retire(closingIfIdle: true) }
  }

  /// Closes all connections.
  package func shutDown() {
    isShutDown = true
    for server in connections.values { server.close() }
  }

  var statistics: [TransportStatistics.Connection] { connections.values.map(\.statistics) }

  // MARK: Memory

  /// What all connections hold that nobody has dealt with, in bytes.
  package var heldBytes: Int { budget.total }

  /// Notes how many bytes a connection holds that nobody has dealt with.
  func note(_ server: ClassicServer, holds bytes: Int) {
    guard budget.update(ObjectIdentifier(server), holds: bytes), !waiting.isEmpty else { return }
    let resumed = waiting
    waiting = [:]
    for other in resumed.values { other.readIfDue() }
  }

  /// Whether a connection may read; if not, it is told when it may.
  func mayRead(_ server: ClassicServer) -> Bool {
    let key = ObjectIdentifier(server)
    return wait(server, unless: budget.mayRead(key))
  }

  /// Whether a connection may make a request of what it has read; if not, it is told when it may.
  func mayDecode(_ server: ClassicServer, of byteCount: Int) -> Bool {
    let key = ObjectIdentifier(server)
    return wait(server, unless: budget.mayDecode(key, of: byteCount))
  }

  private func wait(_ server: ClassicServer, unless mayGoOn: Bool) -> Bool {
    if !mayGoOn { waiting[ObjectIdentifier(server)] = server }
    return mayGoOn
  }

  /// Whether a connection goes beyond what there is room for, so that others wait for it.
  func isOverdrawn(_ server: ClassicServer) -> Bool {
    budget.overdrawn == ObjectIdentifier(server)
  }
}
