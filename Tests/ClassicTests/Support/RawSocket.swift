import NIOCore
import NIOPosix
import RaftTransport
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One end of a connection that says whatever a test wants, byte by byte.
final class RawSocket: Sendable {
  private let channel: any Channel
  private let received: AsyncQueue<ByteBuffer>
  /// What has come beyond what was asked for.
  private let rest = Mutex(ByteBuffer())

  fileprivate init(channel: any Channel, received: AsyncQueue<ByteBuffer>) {
    self.channel = channel
    self.received = received
  }

  /// - Parameter source: The address to come from; the system's choice if it is nil.
  static func connect(to address: ServerAddress, from source: String? = nil) async throws -> RawSocket {
    let parts = address.rawValue.split(separator: ":")
    let received = AsyncQueue<ByteBuffer>()
    var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    if let source { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: source, port: 0)) }
    let channel =
      try await bootstrap
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector(received: received))
        }
      }
      .connect(host: String(parts[0]), port: Int(parts[1]) ?? 0)
      .get()
    return RawSocket(channel: channel, received: received)
  }

  /// Sends bytes; that the other end may have closed already is its right.
  func send(_ bytes: ByteBuffer) async {
    try? await channel.writeAndFlush(bytes)
  }

  func send(_ bytes: [UInt8]) async {
    await send(ByteBuffer(bytes: bytes))
  }

  /// Sends bytes in pieces of the given sizes, over and over.
  func send(_ bytes: ByteBuffer, inPiecesOf sizes: [Int]) async {
    var rest = bytes
    var index = 0
    while rest.readableBytes > 0 {
      let size = min(rest.readableBytes, max(1, sizes[index % sizes.count]))
      index += 1
      if let piece = rest.readSlice(length: size) { await send(piece) }
    }
  }

  /// Half-closes.
  func finish() async {
    try? await channel.close(mode: .output)
  }

  func close() async {
    try? await channel.close()
  }

  /// Ends the connection by RST, which leaves the other end nobody to answer to.
  func reset() async throws {
    guard let socket = channel as? any SocketOptionProvider else {
      throw NeverHappened(description: "a socket with options")
    }
    try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    try? await channel.close()
  }

  /// Whether bytes are read at all, so that a test can be a peer that does not read.
  func setReading(_ isReading: Bool) async throws {
    try await channel.setOption(.autoRead, value: isReading).get()
  }

  /// The next bytes as they came; `nil` when the other end has closed.
  func next() async -> ByteBuffer? {
    let early = takeRest()
    return early.readableBytes > 0 ? early : await received.next()
  }

  /// So many bytes; fewer if the other end closes before.
  func next(_ count: Int) async -> ByteBuffer {
    var all = takeRest()
    while all.readableBytes < count, let bytes = await received.next() { all.writeImmutableBuffer(bytes) }
    let wanted = all.readSlice(length: min(count, all.readableBytes)) ?? ByteBuffer()
    let left = all
    rest.withLock { $0 = left }
    return wanted
  }

  private func takeRest() -> ByteBuffer {
    rest.withLock { rest in
      defer { rest = ByteBuffer() }
      return rest
    }
  }

  /// All bytes until the other end closes.
  func remaining() async -> ByteBuffer {
    await next(.max)
  }
}

/// A listener whose connections say whatever a test wants.
final class RawListener: Sendable {
  let address: ServerAddress
  private let channel: any Channel
  private let accepted: AsyncQueue<RawSocket>

  private init(channel: any Channel, accepted: AsyncQueue<RawSocket>) {
    self.channel = channel
    self.accepted = accepted
    address = ServerAddress("127.0.0.1:\(channel.localAddress?.port ?? 0)")
  }

  static func start(closesAtOnce: Bool = false) async throws -> RawListener {
    let accepted = AsyncQueue<RawSocket>()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          // An initializer that throws closes its channel.
          if closesAtOnce { throw ChannelError.ioOnClosedChannel }
          let received = AsyncQueue<ByteBuffer>()
          let connection = RawSocket(channel: channel, received: received)
          // Not before it is active: what a test says before that is lost.
          try channel.pipeline.syncOperations.addHandler(
            Collector(received: received) { accepted.push(connection) })
        }
      }
      .bind(host: "127.0.0.1", port: 0)
      .get()
    return RawListener(channel: channel, accepted: accepted)
  }

  /// The next connection.
  func next() async throws -> RawSocket {
    guard let socket = await accepted.next() else { throw NeverHappened(description: "a connection") }
    return socket
  }

  func close() async {
    accepted.finish()
    try? await channel.close()
  }
}

private final class Collector: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let received: AsyncQueue<ByteBuffer>
  private let activated: () -> Void

  init(received: AsyncQueue<ByteBuffer>, activated: @escaping () -> Void = {}) {
    self.received = received
    self.activated = activated
  }

  func channelActive(context: ChannelHandlerContext) {
    activated()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received.push(unwrapInboundIn(data))
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? ChannelEvent, event == .inputClosed { received.finish() }
  }

  func channelInactive(context: ChannelHandlerContext) {
    received.finish()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A reset is a way to close, too.
    context.close(promise: nil)
  }
}
