import Logging
import NIOCore
import NIOPosix
import StreamMux

/// Makes connections and starts their handshakes; decides nothing.
struct Dialler: Sendable {
  let settings: EngineSettings
  let services: InboundServices
  let security: TransportSecurity
  let connectTimeout: TimeAmount
  let lookups: HostLookups
  let logger: Logger

  /// Connects a link to an address.
  ///
  /// - Parameters:
  ///   - layer: What protects the connection.
  ///   - began: Told the channel, before it is connected.
  ///   - failed: Told why no connection was made, in which case the observer hears nothing.
  ///   - started: Told the nonce of our HELLO, before the handshake begins.
  func dial(
    _ address: ServerAddress, target: ServerID, layer: ConnectionSecurity.Layer, link: Link,
    observer: any ConnectionObserver,
    began: @escaping @Sendable (any Channel) -> Void,
    started: @escaping @Sendable (Nonce) -> Void,
    failed: @escaping @Sendable (TransportError) -> Void
  ) {
    let hostPort: HostPort
    do throws(TransportError) {
      hostPort = try HostPort(address.rawValue)
    } catch {
      return failed(error)
    }
    let logger = connectionLogger(address)
    settings.environment.network
      .connect(
        host: hostPort.host, port: hostPort.port, eventLoop: link.eventLoop, timeout: connectTimeout,
        resolver: lookups.resolver(on: link.eventLoop)
      ) { channel in
        began(channel)
        return SocketOptions.apply(to: channel)
      }
      .flatMapThrowing { channel in
        do {
          let isLoopback = channel.remoteAddress?.isLoopback ?? false
          let connectionSecurity = ConnectionSecurity(security, layer: layer)
          let (engine, nonce) = try settings.engine(
            role: .dialler, target: target, isLoopback: isLoopback, security: connectionSecurity,
            startedAt: link.eventLoop.now)
          started(nonce)
          try security.install(layer, on: channel, role: .dialler)
          try channel.pipeline.syncOperations.addHandler(
            ConnectionDriver(
              engine: engine, link: link, observer: observer, services: services,
              security: connectionSecurity,
              logger: logger))
        } catch {
          channel.close(promise: nil)
          throw error
        }
      }
      .whenFailure { error in
        var message = "no connection to server '\(target)' at \(address)"
        if let reason = (error as? NIOConnectionError)?.dnsAError {
          if let reason = reason as? TransportError { return failed(reason) }
          message += ": \(reason)"
        }
        failed(
          error as? TransportError
            ?? TransportError(.unreachable, message, delivery: .notDelivered, underlying: error))
      }
  }

  private func connectionLogger(_ address: ServerAddress) -> Logger {
    var logger = self.logger
    logger[metadataKey: "dialled"] = "\(address)"
    return logger
  }
}
