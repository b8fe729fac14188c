import NIOCore
import NIOPosix

/// Messages of the same sizes through two bare NIO handlers: no Raft, no streams, no tasks. What the event loops and
/// the kernel allow, and so a ceiling for any transport on them.
final class MessageSystem: MeasuredSystem {
  static let name = "bare-nio"

  private let server: PeerProcess
  private let port: Int

  init() async throws {
    self.server = try PeerProcess(arguments: BenchServerCommand.arguments(.nio))
    let address = try await self.server.hear(PeerLines.Listening.self).address
    guard let port = address.split(separator: ":").last.flatMap({ Int($0) }) else {
      throw BenchError("the server does not say where it listens")
    }
    self.port = port
  }

  var name: String { Self.name }

  func supports(_ workload: Workload) -> Bool {
    switch workload.kind {
    case .pipeline: true
    case .latency(_, let isBusy): !isBusy
    case .unary, .snapshot: false
    }
  }

  func open(_ workload: Workload) async throws -> any MeasuringSession {
    let (batch, depth) =
      switch workload.kind {
      case .pipeline(let batch, let depth): (batch, depth ?? Workload.defaultPipeline)
      case .unary, .snapshot, .latency: (Workload.Batch(entries: 1, entryBytes: 64), 1)
      }
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(SendingHandler(batch: batch, depth: depth))
        }
      }
      .connect(host: "127.0.0.1", port: self.port).get()
    return MessageSession(channel: channel, batch: batch, server: self.server, wireBytes: Tally())
  }

  func stop() async {
    await self.server.stop()
  }
}

private struct MessageSession: MeasuringSession {
  let channel: any Channel
  let batch: Workload.Batch
  let server: PeerProcess
  let wireBytes: Tally

  func measure(_ duration: Duration) async throws -> Sample {
    let promise = self.channel.eventLoop.makePromise(of: Sample.self)
    self.channel.triggerUserOutboundEvent(
      SendingHandler.Order(duration: duration, promise: promise), promise: nil)
    let sample = try await promise.futureResult.get()
    let messageSize = MessageFormat.lengthSize + self.batch.byteCount + MessageFormat.answerSize
    self.wireBytes.add(sample.operations * messageSize)
    return sample
  }

  func usage() async throws -> Usage {
    Usage(
      clientCPUSeconds: ProcessorTime.seconds, serverCPUSeconds: try await self.server.usage().cpuSeconds,
      wireBytes: UInt64(self.wireBytes.value))
  }

  func close() async {
    try? await self.channel.close()
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
    self.run = Run(
      watch: Stopwatch(order.duration), promise: order.promise,
      recorder: self.depth == 1 ? LatencyRecorder() : nil)
    self.fill(context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = self.unwrapInboundIn(data)
    self.received.writeBuffer(&bytes)
    while let sum = self.received.readInteger(as: UInt64.self) {
      guard sum == self.sum else {
        return self.fail(context, BenchError("a message arrived with other bytes"))
      }
      self.underWay -= 1
      guard let sent = self.run?.lastSent else { continue }
      self.run?.answers += 1
      self.run?.recorder?.record(ContinuousClock.now - sent)
    }
    self.received.discardReadBytes()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    self.fill(context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.fail(context, BenchError("the connection was lost"))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.fail(context, error)
  }

  private func fill(_ context: ChannelHandlerContext) {
    guard let run = self.run else { return }
    if run.watch.isRunning {
      self.run?.lastSent = .now
      while self.underWay < self.depth {
        self.underWay += 1
        context.write(self.wrapOutboundOut(self.message), promise: nil)
      }
      context.flush()
    } else if self.underWay == 0 {
      self.run = nil
      run.promise.succeed(
        Sample(
          operations: run.answers, payloadBytes: run.answers * self.batch.byteCount,
          seconds: run.watch.seconds,
          latency: run.recorder?.latency))
    }
  }

  private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
    self.run?.promise.fail(error)
    self.run = nil
    context.close(promise: nil)
  }
}
