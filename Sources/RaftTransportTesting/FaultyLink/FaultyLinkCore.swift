internal import NIOCore
internal import NIOPosix

/// What a faulty link knows; confined to its event loop.
final class FaultyLinkCore {
  let eventLoop: any EventLoop
  let targetHost: String
  let targetPort: Int
  var refusesConnections = false
  private(set) var figures = FaultyLink.Figures()
  private var faults: [FaultyLink.Direction: LinkFaults] = [:]
  private var connections: [ObjectIdentifier: RelayedConnection] = [:]
  private var isClosed = false

  init(eventLoop: any EventLoop, targetHost: String, targetPort: Int) {
    self.eventLoop = eventLoop
    self.targetHost = targetHost
    self.targetPort = targetPort
  }

  func changeFaults(_ direction: FaultyLink.Direction, _ change: (inout LinkFaults) -> Void) {
    var faults = self.faults[direction] ?? LinkFaults()
    change(&faults)
    self.faults[direction] = faults
    for connection in self.connections.values { connection.direction(direction).faults = faults }
  }

  /// Connects the target for a new client.
  func accept(_ client: any Channel, _ clientEnd: LinkEndHandler) {
    self.figures.connectionsAccepted += 1
    guard !self.refusesConnections, !self.isClosed else {
      RelayedConnection.reset(client)
      return
    }
    let link = NIOLoopBound(self, eventLoop: self.eventLoop)
    let clientEnd = NIOLoopBound(clientEnd, eventLoop: self.eventLoop)
    ClientBootstrap(group: self.eventLoop)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.autoRead, value: false)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connect(host: self.targetHost, port: self.targetPort)
      .whenComplete { result in
        switch result {
        case .success(let target):
          link.value.relay(client: client, clientEnd.value, target: target)
        case .failure:
          link.value.figures.targetsUnreachable += 1
          RelayedConnection.reset(client)
        }
      }
  }

  func forEachConnection(_ body: (RelayedConnection) -> Void) {
    for connection in Array(self.connections.values) { body(connection) }
  }

  /// Closes every connection; returns a future of their end.
  func closeConnections() -> EventLoopFuture<Void> {
    self.isClosed = true
    let ends = self.connections.values.flatMap { [$0.client.closeFuture, $0.target.closeFuture] }
    self.forEachConnection { $0.close() }
    return EventLoopFuture.andAllComplete(ends, on: self.eventLoop)
  }

  private func relay(client: any Channel, _ clientEnd: LinkEndHandler, target: any Channel) {
    guard !self.isClosed, client.isActive else {
      client.close(promise: nil)
      target.close(promise: nil)
      return
    }
    let connection = RelayedConnection(
      client: client, target: target, faults: self.faults,
      onForward: { [weak self] direction, count in
        self?.figures.bytesForwarded[direction, default: 0] += count
      })
    let targetEnd = LinkEndHandler()
    do {
      try target.pipeline.syncOperations.addHandler(targetEnd)
    } catch {
      RelayedConnection.reset(client)
      target.close(promise: nil)
      return
    }
    let key = ObjectIdentifier(connection)
    self.connections[key] = connection
    self.figures.openConnections += 1
    let link = NIOLoopBound(self, eventLoop: self.eventLoop)
    EventLoopFuture.andAllComplete([client.closeFuture, target.closeFuture], on: self.eventLoop)
      .whenComplete { _ in link.value.forget(key) }
    clientEnd.attach(incoming: connection.toTarget, outgoing: connection.toClient)
    targetEnd.attach(incoming: connection.toClient, outgoing: connection.toTarget)
    connection.toTarget.start()
    connection.toClient.start()
  }

  private func forget(_ key: ObjectIdentifier) {
    guard let connection = self.connections.removeValue(forKey: key) else { return }
    connection.toTarget.stop()
    connection.toClient.stop()
    self.figures.openConnections -= 1
  }
}
