internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// What comes in from a socket.
enum Arrival: Sendable {
  case bytes([UInt8])
  /// The peer's end of input, or the end of the connection; `isAbrupt` for a reset.
  case end(isAbrupt: Bool)
}

extension NIOBSDSocket.Option {
  /// `TCP_MAXSEG`, the same number everywhere.
  fileprivate static let maximumSegment = NIOBSDSocket.Option(rawValue: 2)
}

/// A TCP connection as a stream of arrivals.
struct ProbeChannel: Sendable {
  let channel: any Channel
  let arrivals: AsyncStream<Arrival>
  let ending = Ending()
  /// Before this the peer has not seen the connection: when it was begun here, or accepted.
  let beginning: NIODeadline

  /// Whether the peer has ended its direction, also while nobody takes arrivals.
  final class Ending: Sendable {
    private let flag = Atomic(false)

    var hasCome: Bool { flag.load(ordering: .relaxed) }

    func come() { flag.store(true, ordering: .relaxed) }
  }

  static func connect(host: String, port: Int, hasRoom: Bool = true) async throws -> ProbeChannel {
    let (arrivals, feed) = AsyncStream.makeStream(of: Arrival.self)
    var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    if !hasRoom {
      // A small window, and segments so small that the peer's system has no reason to keep much for them either.
      bootstrap =
        bootstrap.channelOption(.socketOption(.so_rcvbuf), value: 4_096)
        .channelOption(.tcpOption(.maximumSegment), value: 536)
    }
    let beginning = NIODeadline.now()
    let channel =
      try await bootstrap
      .connectTimeout(.seconds(5))
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ArrivalHandler(feed))
        }
      }
      .connect(host: host, port: port)
      .get()
    return ProbeChannel(channel: channel, arrivals: arrivals, beginning: beginning)
  }
}

/// A listener for clients under test.
package final class ProbeListener: Sendable {
  private let channel: any Channel
  private let accepted: ConnectionQueue

  private init(channel: any Channel, accepted: ConnectionQueue) {
    self.channel = channel
    self.accepted = accepted
  }

  /// - Parameter port: 0 for one that is free.
  package static func start(host: String = "127.0.0.1", port: Int = 0) async throws -> ProbeListener {
    let accepted = ConnectionQueue()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let (arrivals, feed) = AsyncStream.makeStream(of: Arrival.self)
          let connection = ProbeChannel(channel: channel, arrivals: arrivals, beginning: .now())
          let ending = connection.ending
          try channel.pipeline.syncOperations.addHandler(
            ArrivalHandler(feed, ending) { Task { await accepted.push(connection) } })
        }
      }
      .bind(host: host, port: port)
      .get()
    return ProbeListener(channel: channel, accepted: accepted)
  }

  package var port: Int { channel.localAddress?.port ?? 0 }

  /// The next connection; `nil` if none comes in time.
  func next(until deadline: NIODeadline) async -> ProbeChannel? {
    await accepted.next(until: deadline, on: channel.eventLoop)
  }

  package func close() async {
    try? await channel.close()
  }
}

private final class ArrivalHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let feed: AsyncStream<Arrival>.Continuation
  private let ending: ProbeChannel.Ending?
  private let opened: () -> Void
  private var isAbrupt = false
  private var hasHeard = false

  /// - Parameter opened: Told when the first bytes have come.
  init(
    _ feed: AsyncStream<Arrival>.Continuation, _ ending: ProbeChannel.Ending? = nil,
    opened: @escaping () -> Void = {}
  ) {
    self.ending = ending
    self.feed = feed
    self.opened = opened
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = Array(unwrapInboundIn(data).readableBytesView)
    feed.yield(.bytes(bytes))
    guard !hasHeard, let first = bytes.first else { return }
    hasHeard = true
    // A client that speaks classic Raft as well looks for that where a case has closed without a byte. It is none of the
    // suite's business, and the client learns that it was wrong.
    if first <= 4 { context.close(promise: nil) } else { opened() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { end() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    isAbrupt = true
    context.close(promise: nil)
  }

  private func end() {
    ending?.come()
    feed.yield(.end(isAbrupt: isAbrupt))
    feed.finish()
  }
}
