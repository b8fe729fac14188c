import NIOCore
import NIOPosix

/// Messages of the same sizes through two bare NIO handlers: no Raft, no streams, no tasks. What the event loops and
/// the kernel allow, and so a ceiling for any transport on them.
final class MessageSystem: MeasuredSystem {
  private let server: any AnsweringSide
  private let files: SnapshotFiles

  init(server: any AnsweringSide, files: SnapshotFiles) {
    self.server = server
    self.files = files
  }

  var name: SystemName { .bareNIO }

  func supports(_ workload: Workload) -> Bool {
    switch workload.kind {
    case .pipeline: true
    case .snapshot(let shape, _): shape.encoding == .plain && shape.source == .memory
    case .latency(_, let load): load == .idle
    case .unary, .pipelines, .peers, .codec, .idle: false
    }
  }

  func open(_ workload: Workload) async throws -> any MeasuringSession {
    switch workload.kind {
    case .pipeline(let batch, let depth):
      return try await messages(batch, depth: depth ?? Workload.defaultPipeline)
    case .snapshot(let shape, let size):
      let bytes = try files.bytes(shape.content, upTo: size)
      let channel = try await connect { BulkSendingHandler() }
      return BulkSession(
        channel: channel, message: BulkMessage(bytes), sides: TwoSides(server: server), wireBytes: Tally())
    case .unary, .pipelines, .peers, .codec, .idle, .latency:
      return try await messages(Workload.Batch(entries: 1, entryBytes: 64), depth: 1)
    }
  }

  private func messages(_ batch: Workload.Batch, depth: Int) async throws -> MessageSession {
    let channel = try await connect { SendingHandler(batch: batch, depth: depth) }
    return MessageSession(channel: channel, batch: batch, sides: TwoSides(server: server), wireBytes: Tally())
  }

  private func connect(_ handler: @escaping @Sendable () -> some ChannelHandler) async throws -> any Channel {
    try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(handler())
        }
      }
      .connect(to: RemoteHost.resolve(server.address)).get()
  }

  func stop() async {
    await server.stop()
  }
}

private struct MessageSession: MeasuringSession {
  let channel: any Channel
  let batch: Workload.Batch
  let sides: TwoSides
  let wireBytes: Tally

  func measure(_ effort: Effort) async throws -> Sample {
    let promise = channel.eventLoop.makePromise(of: Sample.self)
    channel.triggerUserOutboundEvent(
      SendingHandler.Order(duration: effort.duration, promise: promise), promise: nil)
    let sample = try await promise.futureResult.get()
    let messageSize = MessageFormat.lengthSize + batch.byteCount + MessageFormat.answerSize
    wireBytes.add(sample.operations * messageSize)
    return sample
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

/// Keeps so many messages under way, as long as it is told to.
private final class SendingHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

  struct Order: Sendable {
    let duration: Duration
    let promise: EventLoopPromise<Sample>
  }

  private struct Run {
    let watch: Stopwatch
    let promise: EventLoopPromise<Sample>
    var answers = 0
    var recorder: LatencyRecorder?
    var lastSent = ContinuousClock.now
  }

  private let batch: Workload.Batch
  private let depth: Int
  private let message: ByteBuffer
  private let sum: UInt64
  private var received = ByteBuffer()
  private var underWay = 0
  private var run: Run?

  init(batch: Workload.Batch, depth: Int) {
    self.batch = batch
    self.depth = depth
    self.message = MessageFormat.message(of: batch)
    self.sum = MessageFormat.sum(of: self.message)
  }

  func triggerUserOutboundEvent(
    context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
  ) {
    guard let order = event as? Order else {
      return context.triggerUserOutboundEvent(event, promise: promise)
    }
    run = Run(
      watch: Stopwatch(order.duration), promise: order.promise,
      recorder: depth == 1 ? LatencyRecorder() : nil)
    fill(context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    received.writeBuffer(&bytes)
    while let sum = received.readInteger(as: UInt64.self) {
      guard sum == self.sum else {
        return fail(context, BenchError("a message arrived with other bytes"))
      }
      underWay -= 1
      guard let sent = run?.lastSent else { continue }
      run?.answers += 1
      run?.recorder?.record(nanoseconds: (ContinuousClock.now - sent).inNanoseconds)
    }
    received.discardReadBytes()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    fill(context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(context, BenchError("the connection was lost"))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(context, error)
  }

  private func fill(_ context: ChannelHandlerContext) {
    guard let run = run else { return }
    if run.watch.isRunning {
      self.run?.lastSent = .now
      while underWay < depth {
        underWay += 1
        context.write(wrapOutboundOut(message), promise: nil)
      }
      context.flush()
    } else if underWay == 0 {
      self.run = nil
      run.promise.succeed(
        Sample(
          operations: run.answers, payloadBytes: run.answers * batch.byteCount,
          seconds: run.watch.seconds,
          latency: run.recorder?.latency))
    }
  }

  private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
    run?.promise.fail(error)
    run = nil
    context.close(promise: nil)
  }
}
