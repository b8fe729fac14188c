import NIOCore

/// Cuts what a connection brings into lines.
final class LineFeedingHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let feed: AsyncStream<String>.Continuation
  private var received = ByteBuffer()

  init(_ feed: AsyncStream<String>.Continuation) {
    self.feed = feed
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    received.writeBuffer(&bytes)
    while let end = received.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
      let length = end - received.readerIndex
      if let line = received.readString(length: length) { feed.yield(line) }
      received.moveReaderIndex(forwardBy: 1)
    }
    received.discardReadBytes()
    // Nobody who keeps to the rules writes such lines.
    if received.readableBytes > LineReader.longestLine { context.close(promise: nil) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    feed.finish()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
