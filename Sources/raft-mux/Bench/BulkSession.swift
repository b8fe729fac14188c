import NIOCore

/// Snapshots over a bare NIO pipeline: a mark, a length, and the bytes as fast as the socket takes them.
struct BulkSession: MeasuringSession {
  let channel: any Channel
  let message: BulkMessage
  let sides: TwoSides
  let wireBytes: Tally

  func measure(_ effort: Effort) async throws -> Sample {
    let message = effort.snapshotLimit.map { self.message.cut(to: $0) } ?? self.message
    let watch = Stopwatch(effort.duration)
    var count = 0
    repeat {
      let promise = channel.eventLoop.makePromise(of: UInt64.self)
      channel.triggerUserOutboundEvent(
        BulkSendingHandler.Order(pieces: message.pieces, promise: promise), promise: nil)
      guard try await promise.futureResult.get() == message.sum else {
        throw BenchError("a snapshot arrived with other bytes than were sent")
      }
      count += 1
    } while watch.isRunning
    wireBytes.add(count * message.size)
    return Sample(operations: count, payloadBytes: count * message.size, seconds: watch.seconds)
  }

  func count(_ isOn: Bool) async throws {
    try await sides.count(isOn)
  }

  func usage() async throws -> Usage {
    try await sides.usage(wireBytes: UInt64(wireBytes.value))
  }

  func close() async {
    try? await channel.close()
  }
}

/// What is sent, with the checksum that must come back: made before anything is measured, since the processor's time
/// for it would count as the system's.
struct BulkMessage: Sendable {
  let pieces: [ByteBuffer]
  let size: Int
  let sum: UInt64

  init(_ bytes: ByteBuffer) {
    var sum = WordSum()
    sum.update(bytes)
    self.sum = sum.value
    size = bytes.readableBytes
    pieces = OutgoingSnapshot.pieces(of: bytes)
  }

  /// The first bytes of it.
  func cut(to limit: Int) -> BulkMessage {
    guard limit < size else { return self }
    var bytes = ByteBuffer()
    for piece in pieces where bytes.readableBytes < limit { bytes.writeImmutableBuffer(piece) }
    return BulkMessage(bytes.getSlice(at: bytes.readerIndex, length: limit) ?? bytes)
  }
}

/// Writes slices of a message as long as the socket takes them.
final class BulkSendingHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

  struct Order: Sendable {
    /// In order; NIO copies what is sliced of buffers beyond 16 MiB.
    let pieces: [ByteBuffer]
    let promise: EventLoopPromise<UInt64>
  }

  private static let pieceSize = 256 << 10

  private var remaining = ByteBuffer()
  private var waiting: ArraySlice<ByteBuffer> = []
  private var received = ByteBuffer()
  private var promise: EventLoopPromise<UInt64>?

  func triggerUserOutboundEvent(
    context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
  ) {
    guard let order = event as? Order else {
      return context.triggerUserOutboundEvent(event, promise: promise)
    }
    self.promise = order.promise
    waiting = order.pieces[...]
    remaining = waiting.popFirst() ?? ByteBuffer()
    var head = ByteBuffer()
    head.writeInteger(MessageFormat.bulkMark)
    head.writeInteger(UInt64(order.pieces.reduce(0) { $0 + $1.readableBytes }))
    context.write(wrapOutboundOut(head), promise: nil)
    fill(context)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { fill(context) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    received.writeBuffer(&bytes)
    guard let sum = received.readInteger(as: UInt64.self) else { return }
    received.clear()
    promise?.succeed(sum)
    promise = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(context, BenchError("the connection was lost"))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(context, error)
  }

  private func fill(_ context: ChannelHandlerContext) {
    repeat {
      if remaining.readableBytes == 0 { remaining = waiting.popFirst() ?? ByteBuffer() }
      guard let piece = remaining.readSlice(length: min(Self.pieceSize, remaining.readableBytes)),
        piece.readableBytes > 0
      else {
        break
      }
      context.write(wrapOutboundOut(piece), promise: nil)
    } while context.channel.isWritable
    context.flush()
  }

  private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
    promise?.fail(error)
    promise = nil
    context.close(promise: nil)
  }
}
