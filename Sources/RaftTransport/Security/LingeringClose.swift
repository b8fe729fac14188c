#if Authentication
  import NIOCore

  /// Lets a TLS alert reach the peer (R-SEC-16).
  ///
  /// The TLS library closes the socket behind its alert. Where bytes of the peer are still unread, that makes TCP send
  /// a reset, which can destroy the alert on its way: the peer would see a broken connection instead of the reason. So a
  /// close becomes a half-close at first, and what still arrives is discarded, for a bounded time and number of bytes.
  final class LingeringClose: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let patience = TimeAmount.milliseconds(500)
    private static let mostBytes = 64 * 1_024

    /// Whether an alert may be about to be sent: until our side of the TLS handshake is complete.
    var isNeeded = true
    private var discarded = 0
    private var end: (promise: EventLoopPromise<Void>?, timer: Scheduled<Void>)?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      guard end != nil else { return context.fireChannelRead(data) }
      discarded += unwrapInboundIn(data).readableBytes
      if discarded > Self.mostBytes { finish(context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if end != nil, event as? ChannelEvent == .inputClosed { return finish(context) }
      context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
      finish(context)
      context.fireChannelInactive()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
      guard mode == .all, isNeeded, context.channel.isActive else {
        return context.close(mode: mode, promise: promise)
      }
      guard end == nil else {
        // Asked again by somebody else: the first close is under way.
        promise?.succeed()
        return
      }
      let timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { self.finish(context) }
      end = (promise, timer)
      context.close(mode: .output, promise: nil)
    }

    private func finish(_ context: ChannelHandlerContext) {
      guard let (promise, timer) = end else { return }
      end = nil
      isNeeded = false
      timer.cancel()
      context.close(promise: promise)
    }
  }
#endif
