import NIOCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The options of the sockets of the old protocol, which has no signs of life of its own.
enum ClassicSocket {
  /// What may wait in NIO of a snapshot on its way, in bytes.
  private static let pendingWrites = ChannelOptions.Types.WriteBufferWaterMark(
    low: 256 * 1_024, high: 1_024 * 1_024)

  private static let receiveBuffers = AdaptiveRecvByteBufferAllocator(
    minimum: 2_048, initial: 4_096, maximum: 64 * 1_024)

  /// The seconds after which a silent connection is asked whether it lives, and between further questions.
  private static let keepAliveSeconds = 15

  /// An accepted socket is read on demand, since one request is served at a time. On the channel's event loop.
  static func prepareAccepted(_ channel: any Channel) throws {
    if let options = channel.syncOptions {
      try options.setOption(.autoRead, value: false)
      // What one read may bring is what a connection may hold beyond its share.
      try options.setOption(.maxMessagesPerRead, value: 1)
      try options.setOption(.recvAllocator, value: receiveBuffers)
    }
    keepAlive(channel)
  }

  /// A dialled socket. On the channel's event loop.
  static func prepareDialled(_ channel: any Channel) throws {
    guard let options = channel.syncOptions else { return }
    try options.setOption(.tcpOption(.tcp_nodelay), value: 1)
    try options.setOption(.writeBufferWaterMark, value: pendingWrites)
    try options.setOption(.recvAllocator, value: receiveBuffers)
    keepAlive(channel)
  }

  /// Has the system find out dead peers. Where it cannot, connections just stay open longer.
  private static func keepAlive(_ channel: any Channel) {
    guard let options = channel.syncOptions else { return }
    try? options.setOption(.socketOption(.so_keepalive), value: 1)
    #if os(Linux)
      for option in [TCP_KEEPIDLE, TCP_KEEPINTVL] {
        try? options.setOption(
          ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: option)),
          value: keepAliveSeconds)
      }
    #endif
  }
}
