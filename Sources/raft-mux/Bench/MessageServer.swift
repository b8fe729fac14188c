import NIOCore
import NIOPosix

/// The answering side of the bare NIO pipeline.
struct MessageServer: Sendable {
  private let channel: any Channel

  static func listen() async throws -> MessageServer {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AnsweringHandler())
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return MessageServer(channel: channel)
  }

  var address: String { "127.0.0.1:\(self.channel.localAddress?.port ?? 0)" }

  func close() async throws {
    try await self.channel.close()
  }
}

/// Answers each message with its checksum; one flush for all that came in one read.
private final class AnsweringHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var received = ByteBuffer()

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = self.unwrapInboundIn(data)
    if self.received.readableBytes == 0 {
      self.received = bytes
    } else {
      self.received.writeBuffer(&bytes)
    }
    var answers = ByteBuffer()
    while let length = self.received.getInteger(at: self.received.readerIndex, as: UInt32.self) {
      guard length <= MessageFormat.longestMessage else { return context.close(promise: nil) }
      let size = MessageFormat.lengthSize + Int(length)
      guard let message = self.received.readSlice(length: size) else { break }
      answers.writeInteger(MessageFormat.sum(of: message))
    }
    self.received.discardReadBytes()
    if answers.readableBytes > 0 { context.write(self.wrapOutboundOut(answers), promise: nil) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.flush()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
