import Logging
import NIOCore

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
    on address: HostPort, network: any TransportNetwork, eventLoop: any EventLoop, services: InboundServices,
    accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) async throws -> Listener {
    do {
      let host = address.host.isEmpty ? "0.0.0.0" : address.host
      let channel = network.listen(
        host: host, port: address.port, eventLoop: eventLoop, accept: accept
      ) { error, pause in
        services.counters.add(\.acceptFailures)
        services.peerLog.log(
          .acceptFailure, .error, "cannot accept connections for the moment",
          metadata: ["error": "\(error)", "pause_ms": "\(pause.nanoseconds / 1_000_000)"], to: services.logger)
      }
      return Listener(channel: try await channel.get())
    } catch {
      let text = HostPort.text(host: address.host, port: address.port)
      throw TransportError(
        .listenFailed, "on \(text); is the port free and the address one of this machine?",
        delivery: .notDelivered, underlying: error)
    }
  }
}
