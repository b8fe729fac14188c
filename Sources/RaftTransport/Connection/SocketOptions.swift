import NIOCore
import NIOPosix

/// The options that every connection's socket gets, dialled or accepted.
enum SocketOptions {
  /// Bytes that wait in NIO; above it nothing more is asked of the engine, since what lies here is the latency of
  /// whatever comes next (R-SCH).
  private static let pendingWrites = ChannelOptions.Types.WriteBufferWaterMark(
    low: 32 * 1_024, high: 64 * 1_024)

  /// Unsent bytes that the kernel takes beyond what is under way.
  static let firstBurst = 128 * 1_024

  /// Linux's number of `TCP_NOTSENT_LOWAT`, which not every C library names.
  private static let notSentLowWaterOption: CInt = 25

  /// One read takes up to this much, so that a frame's entries mostly lie in one buffer.
  private static let receiveBuffers = AdaptiveRecvByteBufferAllocator(
    minimum: 2_048, initial: 16 * 1_024, maximum: 64 * 1_024)

  #if os(Linux)
    private static let unsentLowWater = ChannelOptions.Types.SocketOption(
      level: .tcp, name: .init(rawValue: notSentLowWaterOption))
  #endif

  /// Changes how many bytes may lie between the engine and the path (R-SCH-14). On the channel's event loop.
  static func limitBurst(to bytes: Int, on channel: any Channel) {
    guard let options = channel.syncOptions else { return }
    let waiting = ChannelOptions.Types.WriteBufferWaterMark(
      low: min(pendingWrites.low, bytes / 2), high: min(pendingWrites.high, bytes))
    // A system that does not know the option, or a socket that is closing: then it is as it was.
    try? options.setOption(.writeBufferWaterMark, value: waiting)
    #if os(Linux)
      try? options.setOption(unsentLowWater, value: bytes)
    #endif
  }

  static func apply(to channel: any Channel) -> EventLoopFuture<Void> {
    let common = channel.setOption(.tcpOption(.tcp_nodelay), value: 1).flatMap {
      channel.setOption(.allowRemoteHalfClosure, value: true)
    }.flatMap {
      channel.setOption(.writeBufferWaterMark, value: pendingWrites)
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
