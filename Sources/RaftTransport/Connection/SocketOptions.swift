import NIOCore
import NIOPosix

/// The options that every connection's socket gets, dialled or accepted.
enum SocketOptions {
  /// Bytes that wait in NIO; above it nothing more is asked of the engine, since what lies here is the latency of
  /// whatever comes next (R-SCH).
  private static let pendingWrites = ChannelOptions.Types.WriteBufferWaterMark(
    low: 32 * 1_024, high: 64 * 1_024)

  /// Unsent bytes that the kernel takes beyond what is under way.
  private static let unsentLowWater: Int = 128 * 1_024

  /// Linux's number of `TCP_NOTSENT_LOWAT`, which not every C library names.
  private static let notSentLowWaterOption: CInt = 25

  /// One read takes up to this much, so that a frame's entries mostly lie in one buffer.
  private static let receiveBuffers = AdaptiveRecvByteBufferAllocator(
    minimum: 2_048, initial: 16 * 1_024, maximum: 64 * 1_024)

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
        let option = ChannelOptions.Types.SocketOption(
          level: .tcp, name: .init(rawValue: notSentLowWaterOption))
        return channel.setOption(option, value: unsentLowWater)
      }
    #else
      return common
    #endif
  }
}
