import Logging
import NIOCore
import NIOPosix

/// The listening socket; decides nothing about the connections that it accepts.
struct Listener: Sendable {
  let channel: any Channel

  /// Opens a listening socket.
  ///
  /// - Parameters:
  ///   - address: Where to listen; an empty host means all interfaces.
  ///   - eventLoop: Where the listener and all that it accepts live.
  ///   - accept: Makes a connection of each accepted channel, on the channel's event loop.
  /// - Throws: ``TransportError`` with `listenFailed`.
  static func open(
    on address: HostPort, eventLoop: any EventLoop, services: InboundServices,
    accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) async throws -> Listener {
    let bootstrap = ServerBootstrap(group: eventLoop)
      .serverChannelOption(.backlog, value: 1_024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            AcceptBackOffHandler { error, pause in
              services.counters.add(\.acceptFailures)
              services.peerLog.log(
                .acceptFailure, .error, "cannot accept connections for the moment",
                metadata: ["error": "\(error)", "pause_ms": "\(pause.nanoseconds / 1_000_000)"],
                to: services.logger)
            })
        }
      }
      .childChannelInitializer(accept)
    do {
      let host = address.host.isEmpty ? "0.0.0.0" : address.host
      return Listener(channel: try await bootstrap.bind(host: host, port: address.port).get())
    } catch {
      let text = HostPort.text(host: address.host, port: address.port)
      throw TransportError(
        .listenFailed, "on \(text); is the port free and the address one of this machine?",
        delivery: .notDelivered, underlying: error)
    }
  }
}
