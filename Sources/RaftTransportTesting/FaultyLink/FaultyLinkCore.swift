internal import NIOCore
internal import NIOPosix

/// What a faulty link knows; confined to its event loop.
final class FaultyLinkCore {
  let eventLoop: any EventLoop
  let targetHost: String
  let targetPort: Int
  let toTarget: LinkPath
  let toClient: LinkPath
  var refusesConnections = false
  private var counted = FaultyLink.Figures()
  private var connections: [ObjectIdentifier: RelayedConnection] = [:]
  private var isClosed = false

  init(eventLoop: any EventLoop, targetHost: String, targetPort: Int, profile: LinkProfile) {
    self.eventLoop = eventLoop
    self.targetHost = targetHost
    self.targetPort = targetPort
    self.toTarget = LinkPath(profile: profile, eventLoop: eventLoop)
    self.toClient = LinkPath(profile: profile, eventLoop: eventLoop)
  }

  func path(_ direction: FaultyLink.Direction) -> LinkPath {
    switch direction {
    case .toTarget: self.toTarget
    case .toClient: self.toClient
    }
  }

  var figures: FaultyLink.Figures {
    var figures = self.counted
    for direction in FaultyLink.Direction.allCases {
      let path = self.path(direction)
      figures.bytesForwarded[direction] = path.forwardedBytes
      figures.queuedBytes[direction] = path.queuedBytes
      figures.bytesInFlight[direction] = path.bytesInFlight
    }
    return figures
  }

  /// Another profile for the connections that are there and those to come.
  func change(_ direction: FaultyLink.Direction, to profile: LinkProfile) {
    self.path(direction).change(to: profile)
    for connection in self.connections.values { self.sizeBuffers(connection) }
  }

  /// Connects the target for a new client.
  func accept(_ client: any Channel, _ clientEnd: LinkEndHandler) {
    self.counted.connectionsAccepted += 1
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
          link.value.counted.targetsUnreachable += 1
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
    self.toTarget.stop()
    self.toClient.stop()
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
      client: client, target: target, toTarget: self.toTarget, toClient: self.toClient)
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
    self.counted.openConnections += 1
    let link = NIOLoopBound(self, eventLoop: self.eventLoop)
    EventLoopFuture.andAllComplete([client.closeFuture, target.closeFuture], on: self.eventLoop)
      .whenComplete { _ in link.value.forget(key) }
    self.sizeBuffers(connection)
    clientEnd.attach(incoming: connection.toTarget, outgoing: connection.toClient)
    targetEnd.attach(incoming: connection.toClient, outgoing: connection.toTarget)
    connection.toTarget.start()
    connection.toClient.start()
  }

  private func forget(_ key: ObjectIdentifier) {
    guard let connection = self.connections.removeValue(forKey: key) else { return }
    connection.toTarget.stop()
    connection.toClient.stop()
    self.counted.openConnections -= 1
  }

  /// Lets the kernel hide no more than the paths allow; a system that refuses hides more, and that is all.
  private func sizeBuffers(_ connection: RelayedConnection) {
    for (path, source, destination) in [
      (self.toTarget, connection.client, connection.target),
      (self.toClient, connection.target, connection.client),
    ] {
      source.setOption(
        .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: path.readSize)
      ).whenFailure { _ in }
      source.setOption(.maxMessagesPerRead, value: 1).whenFailure { _ in }
      guard let bytes = path.socketBufferBytes else { continue }
      source.setOption(.socketOption(.so_rcvbuf), value: numericCast(bytes)).whenFailure { _ in }
      destination.setOption(.socketOption(.so_sndbuf), value: numericCast(bytes)).whenFailure { _ in }
    }
  }
}
