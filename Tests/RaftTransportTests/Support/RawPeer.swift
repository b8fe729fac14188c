import NIOCore
import NIOPosix
import RaftTransport
import StreamMux

/// A client that says whatever a test wants, byte by byte.
actor RawPeer {
  private let channel: any Channel
  private let received: AsyncQueue<ByteBuffer>
  private var preface = PrefaceReader()
  private var decoder = FrameDecoder(maximumFramePayload: ProtocolConstants.largestFramePayload)
  private var encoder = FrameEncoder()

  private init(channel: any Channel, received: AsyncQueue<ByteBuffer>) {
    self.channel = channel
    self.received = received
  }

  static func connect(to address: ServerAddress) async throws -> RawPeer {
    let parts = address.rawValue.split(separator: ":")
    let received = AsyncQueue<ByteBuffer>()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector(received: received))
        }
      }
      .connect(host: String(parts[0]), port: Int(parts[1]) ?? 0)
      .get()
    return RawPeer(channel: channel, received: received)
  }

  // MARK: Saying

  /// Sends bytes; that the other end may have closed already is its right.
  func send(_ bytes: ByteBuffer) async {
    try? await channel.writeAndFlush(bytes)
  }

  func send(_ bytes: [UInt8]) async {
    await send(ByteBuffer(bytes: bytes))
  }

  func send(_ frames: Frame...) async {
    var bytes = ByteBuffer()
    for frame in frames { encoder.write(frame, into: &bytes) }
    await send(bytes)
  }

  func send(_ header: DataHeader, _ payload: ByteBuffer = ByteBuffer()) async {
    var bytes = ByteBuffer()
    encoder.write(header, payload: payload, into: &bytes)
    await send(bytes)
  }

  /// Half-closes.
  func finish() async {
    try? await channel.close(mode: .output)
  }

  func close() async {
    try? await channel.close()
  }

  // MARK: Hearing

  /// The next bytes as they came; `nil` when the other end has closed.
  func nextBytes() async -> ByteBuffer? {
    await received.next()
  }

  /// All bytes until the other end closes.
  func remainingBytes() async -> ByteBuffer {
    var all = ByteBuffer()
    while let bytes = await received.next() { all.writeImmutableBuffer(bytes) }
    return all
  }

  /// The next thing that the other end says, behind its preface; `nil` when it has closed.
  func nextEvent() async throws -> FrameEvent? {
    while true {
      if preface.isComplete, let event = try decoder.next() {
        if case .frame(.welcome(.accepted)) = event {
          decoder.endHandshake(isChecksummed: encoder.isChecksummed)
        }
        return event
      }
      guard var bytes = await received.next() else { return nil }
      if try preface.read(&bytes) { decoder.append(bytes) }
    }
  }

  /// The next frame that a test looks for; others are passed over. `nil` when the other end has closed.
  func next<Value>(_ match: @Sendable (Frame) -> Value?) async throws -> Value? {
    while let event = try await nextEvent() {
      if case .frame(let frame) = event, let value = match(frame) { return value }
    }
    return nil
  }

  // MARK: The handshake

  static func hello(
    serverID: String = "raw", clusterID: String = "sockets", target: String = "", address: String = "",
    features: Features = []
  ) throws -> Hello {
    try Hello(
      features: features, incarnation: 1, nonce: .random(), clusterID: clusterID, serverID: serverID,
      address: address, targetServerID: target)
  }

  /// The preface and HELLO.
  static func greeting(_ hello: Hello) -> ByteBuffer {
    var bytes = ByteBuffer()
    FrameEncoder.writePreface(into: &bytes)
    var payload = ByteBuffer()
    hello.encode(into: &payload)
    FrameEncoder().write(.hello(payload), into: &bytes)
    return bytes
  }

  /// The whole handshake, up to the other end's WELCOME.
  func shakeHands(_ hello: Hello) async throws {
    await send(Self.greeting(hello))
    await send(.authentication(Authentication(.none)), .welcome(.accepted(grantsRoute: false)))
    encoder.isChecksummed = hello.features.contains(.crc32)
    let welcome = try await next { frame in
      if case .welcome(let welcome) = frame { welcome } else { nil }
    }
    guard case .accepted = welcome else {
      throw NeverHappened(description: "an accepting WELCOME instead of \(String(describing: welcome))")
    }
  }
}

private final class Collector: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let received: AsyncQueue<ByteBuffer>

  init(received: AsyncQueue<ByteBuffer>) {
    self.received = received
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received.push(unwrapInboundIn(data))
  }

  func channelInactive(context: ChannelHandlerContext) {
    received.finish()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A reset is a way to close, too.
    context.close(promise: nil)
  }
}
