internal import NIOCore
internal import StreamMux

/// What the engine wants to know of the socket, and what follows for the socket.
extension ConnectionDriver {
  /// Asks the system about the socket if the engine wants to know.
  func sampleSocket(_ context: ChannelHandlerContext) {
    let now = eventLoop.now
    if engine.wantsFigures(now: now) { engine.take(SocketProbe.figures(of: context), now: now) }
    let wanted = engine.burst
    // Small changes are not worth a system call.
    guard wanted > burst + burst / 4 || wanted < burst - burst / 4 else { return }
    burst = wanted
    SocketOptions.limitBurst(to: wanted, on: context.channel)
  }
}
