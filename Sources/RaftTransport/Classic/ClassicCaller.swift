import Logging
import NIOCore

/// The connections to old peers: gives each exchange one, from the pool or a new one (R-CLS-14).
///
/// Confined to the event loop.
final class ClassicCaller {
  let eventLoop: any EventLoop
  private let chooser: ProtocolChooser
  private let network: any TransportNetwork
  private let lookups: HostLookups
  private let connectTimeout: TimeAmount
  private let maximumCalls: Int
  private var pool: ClassicPool<ClassicConnection>
  private var connections: [ObjectIdentifier: ClassicConnection] = [:]
  /// Exchanges per address that have a connection or wait for one.
  private var callCounts: [ServerAddress: Int] = [:]
  /// Every socket that is open or being connected.
  private var sockets: [ObjectIdentifier: any Channel] = [:]
  /// Addresses that answered a pre-vote, for as long as the process lives or until one is closed.
  private var knowPreVote: Set<ServerAddress> = []
  private var isShutDown = false
  private let logger: Logger

  init(configuration: TransportConfiguration, chooser: ProtocolChooser, eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    self.chooser = chooser
    network = configuration.environment.network
    lookups = HostLookups(system: configuration.lookUp)
    connectTimeout = configuration.timeout > .zero ? TimeAmount(configuration.timeout) : .seconds(10)
    maximumCalls = configuration.oldPeers.maximumCalls
    pool = ClassicPool(maximumIdle: configuration.oldPeers.maximumIdleConnections)
    logger = configuration.logger
  }

  // MARK: Exchanges

  /// Gives an exchange a connection, now or later, or tells it why there is none.
  func start(_ exchange: any ClassicExchange) {
    let address = exchange.target.address
    if isShutDown { return exchange.failed(TransportError(.shutdown, "", delivery: .notDelivered)) }
    if !exchange.needsFreshConnection, let connection = pool.take(at: address) {
      return connection.give(to: exchange)
    }
    let busy = callCounts[address, default: 0]
    guard busy < maximumCalls else {
      let message = "\(busy) calls are under way to \(address); raise `oldPeers.maximumCalls`"
      return exchange.failed(TransportError(.tooManyCalls, message, delivery: .notDelivered))
    }
    dial(for: exchange)
  }

  /// Finds out whether a peer bears silence (R-CLS-26). Where an idle connection is open, it does.
  func look(at target: DialTarget, whenDone: @escaping (Bool) -> Void) {
    if pool.count(at: target.address) > 0 { return whenDone(true) }
    start(SilenceCheck(of: target, whenDone: whenDone))
  }

  private func dial(for exchange: any ClassicExchange) {
    let target = exchange.target
    let hostPort: HostPort
    do throws(TransportError) {
      hostPort = try HostPort(target.address.rawValue)
    } catch {
      return exchange.failed(error)
    }
    callCounts[target.address, default: 0] += 1
    let connection = ClassicConnection(target: target, caller: self)
    let (myself, dialled) = (
      NIOLoopBound(self, eventLoop: eventLoop), NIOLoopBound(connection, eventLoop: eventLoop)
    )
    network
      .connect(
        host: hostPort.host, port: hostPort.port, eventLoop: eventLoop,
        timeout: min(connectTimeout, exchange.connectPatience ?? connectTimeout),
        resolver: lookups.resolver(on: eventLoop)
      ) { channel in
        channel.eventLoop.makeCompletedFuture {
          myself.value.track(channel)
          try ClassicSocket.prepareDialled(channel)
          try channel.pipeline.syncOperations.addHandler(dialled.value)
        }
      }
      .assumeIsolated()
      .whenComplete { result in
        switch result {
        case .success:
          // It may have ended again in the meantime; then it has said so before it was known here.
          if connection.isOver {
            self.release(target.address)
          } else {
            self.connections[ObjectIdentifier(connection)] = connection
          }
          connection.give(to: exchange)
        case .failure(let error):
          self.release(target.address)
          self.failed(target)
          let message = "no connection to \(target.name)"
          exchange.failed(
            self.isShutDown
              ? TransportError(.shutdown, "", delivery: .notDelivered)
              : TransportError(.unreachable, message, delivery: .notDelivered, underlying: error))
        }
      }
  }

  private func track(_ channel: any Channel) {
    let key = ObjectIdentifier(channel)
    sockets[key] = channel
    channel.closeFuture.assumeIsolated().whenComplete { _ in self.sockets[key] = nil }
    if isShutDown { channel.close(promise: nil) }
  }

  /// An exchange is over: its connection may serve another one.
  func keep(_ connection: ClassicConnection) {
    let isWanted = !isShutDown && !chooser.speaksRMUX(at: connection.address)
    if !isWanted || !pool.keep(connection, at: connection.address) { connection.close() }
  }

  /// A connection is gone.
  func ended(_ connection: ClassicConnection) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    pool.remove(connection, at: connection.address)
    release(connection.address)
  }

  private func release(_ address: ServerAddress) {
    let left = callCounts[address, default: 0] - 1
    callCounts[address] = left > 0 ? left : nil
  }

  // MARK: What peers are

  /// A call was answered.
  func answered(_ target: DialTarget) {
    chooser.answeredClassic(target)
  }

  /// A call was not answered, though it was tried.
  func failed(_ target: DialTarget) {
    chooser.failedClassic(target)
  }

  func knowsPreVote(_ address: ServerAddress) -> Bool { knowPreVote.contains(address) }

  func setKnowsPreVote(_ address: ServerAddress, _ knows: Bool) {
    if !knows {
      knowPreVote.remove(address)
    } else if knowPreVote.count < 4_096 {
      knowPreVote.insert(address)
    }
  }

  // MARK: Orders

  /// A peer that was an old one speaks RMUX now: its idle connections are of no use any more.
  func retire(_ address: ServerAddress) {
    for connection in pool.removeAll(at: address) { connection.close() }
  }

  /// Ends what would go on for ever; the connections of the rest are closed behind it (R-CLS-17).
  func retireAll() {
    _ = pool.removeAll()
    for connection in connections.values { connection.retire() }
  }

  func shutDown() {
    isShutDown = true
    _ = pool.removeAll()
    for connection in connections.values { connection.shutDown() }
    for channel in sockets.values { channel.close(promise: nil) }
    lookups.shutDown()
  }

  var statistics: [TransportStatistics.Connection] { connections.values.map(\.statistics) }

  /// Every socket that is open or being connected.
  var channels: [any Channel] { Array(sockets.values) }
}
