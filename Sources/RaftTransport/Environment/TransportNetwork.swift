package import NIOCore
package import NIOPosix

/// Makes sockets and looks hosts up; decides nothing.
package protocol TransportNetwork: Sendable {
  /// Opens a listening socket.
  ///
  /// - Parameters:
  ///   - accept: Makes a connection of each accepted channel, on `eventLoop`.
  ///   - failed: Told when connections cannot be accepted, and for how long none will be.
  func listen(
    host: String, port: Int, eventLoop: any EventLoop,
    accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>,
    failed: @escaping @Sendable (any Error, TimeAmount) -> Void
  ) -> EventLoopFuture<any Channel>

  /// Connects a socket.
  ///
  /// - Parameters:
  ///   - resolver: Looks the host up.
  ///   - initialize: Told the channel before it is connected.
  func connect(
    host: String, port: Int, eventLoop: any EventLoop, timeout: TimeAmount,
    resolver: any Resolver & Sendable,
    initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<any Channel>

  /// All IP addresses of a host, as normalised text; empty where the name does not resolve.
  func addresses(of host: String, eventLoop: any EventLoop) -> EventLoopFuture<Set<String>>
}

/// The operating system's sockets.
struct SystemNetwork: TransportNetwork {
  func listen(
    host: String, port: Int, eventLoop: any EventLoop,
    accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>,
    failed: @escaping @Sendable (any Error, TimeAmount) -> Void
  ) -> EventLoopFuture<any Channel> {
    ServerBootstrap(group: eventLoop)
      .serverChannelOption(.backlog, value: 1_024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AcceptBackOffHandler(failed: failed))
        }
      }
      .childChannelInitializer(accept)
      .bind(host: host, port: port)
  }

  func connect(
    host: String, port: Int, eventLoop: any EventLoop, timeout: TimeAmount,
    resolver: any Resolver & Sendable,
    initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<any Channel> {
    ClientBootstrap(group: eventLoop)
      .connectTimeout(timeout)
      .resolver(resolver)
      .channelInitializer(initialize)
      .connect(host: host, port: port)
  }

  func addresses(of host: String, eventLoop: any EventLoop) -> EventLoopFuture<Set<String>> {
    HostResolver.addresses(of: host, eventLoop: eventLoop)
  }
}
