import NIOCore

/// Waits for the first byte of an accepted connection, has it routed, and steps out of the way.
///
/// It decides nothing: what the byte says is told to ``Route``, which puts the handlers in place that take over. They
/// get the bytes from the first one on. A connection that says nothing in time, or ends before, is closed.
final class FirstByteRouter: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// Told once, on the event loop, what the connection speaks, or `nil` if it is over before it said so. It adds the
  /// handlers behind the router; if it throws the connection is closed.
  typealias Route = (SpokenProtocol?) throws -> Void

  private enum State {
    case waiting(Route)
    case routed
  }

  private var state: State
  /// Until when the first byte has to be here.
  private let deadline: NIODeadline
  private var timer: Scheduled<Void>?

  init(deadline: NIODeadline, route: @escaping Route) {
    self.deadline = deadline
    state = .waiting(route)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      try? self.takeRoute()?(nil)
      channel.close(promise: nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    try? takeRoute()?(nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    guard let first = bytes.readableBytesView.first else { return }
    guard let route = takeRoute() else { return context.fireChannelRead(data) }
    do {
      try route(SpokenProtocol(firstByte: first))
    } catch {
      return context.close(promise: nil)
    }
    context.fireChannelRead(data)
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .waiting = state, let event = event as? ChannelEvent, event == .inputClosed {
      context.close(promise: nil)
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    try? takeRoute()?(nil)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if case .waiting = state {
      context.close(promise: nil)
    } else {
      context.fireErrorCaught(error)
    }
  }

  /// The route, the first time.
  private func takeRoute() -> Route? {
    guard case .waiting(let route) = state else { return nil }
    state = .routed
    timer?.cancel()
    timer = nil
    return route
  }
}
