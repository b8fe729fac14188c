import NIOCore
import NIOPosix

/// The options that every connection's socket gets, dialled or accepted.
enum SocketOptions {
  /// Unsent bytes that the kernel takes beyond what is under way, as long as nothing is known of the path.
  static let firstBurst = 128 * 1_024

  /// Linux's number of `TCP_NOTSENT_LOWAT`, which not every C library names.
  private static let notSentLowWaterOption: CInt = 25

  /// One read takes up to this much, so that a frame's entries mostly lie in one buffer.
  private static let receiveBuffers = AdaptiveRecvByteBufferAllocator(
    minimum: 2_048, initial: 16 * 1_024, maximum: 128 * 1_024)

  #if os(Linux)
    private static let unsentLowWater = ChannelOptions.Types.SocketOption(
      level: .tcp, name: .init(rawValue: notSentLowWaterOption))
  #endif

  /// Changes how many bytes may lie between the engine and the path (R-PATH-1). On the channel's event loop.
  static func limitBurst(to bytes: Int, on channel: any Channel) {
    guard let options = channel.syncOptions else { return }
    // A system that does not know the option, or a socket that is closing: then it is as it was.
    try? options.setOption(.writeBufferWaterMark, value: pendingWrites(forBurst: bytes))
    #if os(Linux)
      try? options.setOption(unsentLowWater, value: bytes)
    #endif
  }

  /// Bytes that may wait in NIO, and about what is asked of the engine at once: they, too, are the latency of whatever
  /// comes next (R-PATH-1), and what one system call sends.
  static func mostPending(forBurst burst: Int) -> Int { min(burst, max(64 * 1_024, burst / 2)) }

  private static func pendingWrites(forBurst burst: Int) -> ChannelOptions.Types.WriteBufferWaterMark {
    let most = mostPending(forBurst: burst)
    return ChannelOptions.Types.WriteBufferWaterMark(low: most / 2, high: most)
  }

  static func apply(to channel: any Channel) -> EventLoopFuture<Void> {
    let common = channel.setOption(.tcpOption(.tcp_nodelay), value: 1).flatMap {
      channel.setOption(.allowRemoteHalfClosure, value: true)
    }.flatMap {
      channel.setOption(.writeBufferWaterMark, value: pendingWrites(forBurst: firstBurst))
    }.flatMap {
      channel.setOption(.recvAllocator, value: receiveBuffers)
    }
    #if os(Linux)
      return common.flatMap {
        channel.setOption(unsentLowWater, value: firstBurst)
      }
    #else
      return common
    #endif
  }
}
