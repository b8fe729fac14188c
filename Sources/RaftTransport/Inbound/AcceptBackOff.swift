import NIOCore

/// How long a listener that cannot accept waits before it tries again: upstream's 5 ms, doubling up to 1 s, and from
/// the beginning after a success.
struct AcceptBackOff {
  private static let first = TimeAmount.milliseconds(5)
  private static let longest = TimeAmount.seconds(1)

  private var next = Self.first

  /// The pause after one more failure in a row.
  mutating func pauseAfterFailure() -> TimeAmount {
    defer { next = min(next * 2, Self.longest) }
    return next
  }

  mutating func succeeded() {
    next = Self.first
  }
}

/// Applies the pauses to a listening channel, in front of NIO's own accepting.
final class AcceptBackOffHandler: ChannelDuplexHandler {
  typealias InboundIn = any Channel
  typealias OutboundIn = any Channel

  private var backOff = AcceptBackOff()
  private var isPausing = false
  private let failed: (any Error, TimeAmount) -> Void

  /// - Parameter failed: Told of each failure and the pause that follows it.
  init(failed: @escaping (any Error, TimeAmount) -> Void) {
    self.failed = failed
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    backOff.succeeded()
    context.fireChannelRead(data)
  }

  func read(context: ChannelHandlerContext) {
    if !isPausing { context.read() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Only the system's errors are about accepting; a child's trouble is its own.
    guard error is IOError, !isPausing else { return }
    let pause = backOff.pauseAfterFailure()
    failed(error, pause)
    isPausing = true
    let context = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.eventLoop.assumeIsolated().scheduleTask(in: pause) {
      self.isPausing = false
      context.value.read()
    }
  }
}
