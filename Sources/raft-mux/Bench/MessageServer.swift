import NIOCore
import NIOPosix

/// The answering side of the bare NIO pipeline.
struct MessageServer: Sendable {
  private let channel: any Channel

  static func listen(at host: String) async throws -> MessageServer {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AnsweringHandler())
        }
      }
      .bind(host: host, port: 0).get()
    return MessageServer(channel: channel)
  }

  var address: String { "\(channel.localAddress?.ipAddress ?? ""):\(channel.localAddress?.port ?? 0)" }

  func close() async throws {
    try await channel.close()
  }
}

/// Answers each message with its checksum; one flush for all that came in one read.
private final class AnsweringHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var received = ByteBuffer()
  private var bulk: Bulk?

  /// A long message, of which nothing is kept.
  private struct Bulk {
    var remaining: UInt64
    var sum = WordSum()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if received.readableBytes == 0 {
      received = bytes
    } else {
      received.writeBuffer(&bytes)
    }
    var answers = ByteBuffer()
    while let answer = nextAnswer() {
      guard let answer = answer.sum else { return context.close(promise: nil) }
      answers.writeInteger(answer)
    }
    received.discardReadBytes()
    if answers.readableBytes > 0 { context.write(wrapOutboundOut(answers), promise: nil) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.flush()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  /// - Returns: `nil` if more bytes are needed; no sum if the message is not one of ours.
  private func nextAnswer() -> (sum: UInt64?, Void)? {
    if bulk == nil {
      guard let length = received.getInteger(at: received.readerIndex, as: UInt32.self) else { return nil }
      if length != MessageFormat.bulkMark {
        guard length <= MessageFormat.longestMessage else { return (nil, ()) }
        return received.readSlice(length: MessageFormat.lengthSize + Int(length))
          .map { (MessageFormat.sum(of: $0), ()) }
      }
      guard let head = received.readMultipleIntegers(as: (UInt32, UInt64).self) else { return nil }
      bulk = Bulk(remaining: head.1)
    }
    return bulkAnswer()
  }

  private func bulkAnswer() -> (sum: UInt64?, Void)? {
    guard var bulk else { return nil }
    let length = Int(min(bulk.remaining, UInt64(received.readableBytes)))
    if let piece = received.readSlice(length: length) { bulk.sum.update(piece) }
    bulk.remaining -= UInt64(length)
    self.bulk = bulk.remaining > 0 ? bulk : nil
    return bulk.remaining > 0 ? nil : (bulk.sum.value, ())
  }
}
