internal import NIOCore

/// Tells the two directions of a relayed connection what happens at one of its ends.
final class LinkEndHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private var incoming: LinkDirection?
  private var outgoing: LinkDirection?
  /// Nothing is read before the directions start, but the end of a socket can show before.
  private var hasEndedEarly = false

  /// - Parameters:
  ///   - incoming: The direction whose bytes this end reads.
  ///   - outgoing: The direction whose bytes this end writes.
  func attach(incoming: LinkDirection, outgoing: LinkDirection) {
    self.incoming = incoming
    self.outgoing = outgoing
    if self.hasEndedEarly { incoming.receivedEnd() }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.incoming?.received(self.unwrapInboundIn(data))
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    self.incoming?.readCompleted()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { self.outgoing?.becameWritable() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { self.ended() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.ended()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A reset by one side must reach the other one as an end, too.
    context.close(promise: nil)
  }

  private func ended() {
    if let incoming = self.incoming {
      incoming.receivedEnd()
    } else {
      self.hasEndedEarly = true
    }
  }
}
