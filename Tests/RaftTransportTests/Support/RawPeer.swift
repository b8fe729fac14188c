import NIOCore
import NIOPosix
import RaftTransport
import StreamMux

/// One end of a connection that says whatever a test wants, byte by byte.
actor RawPeer {
  private let channel: any Channel
  private let received: AsyncQueue<ByteBuffer>
  private var preface = PrefaceReader()
  private var decoder = FrameDecoder(maximumFramePayload: ProtocolConstants.largestFramePayload)
  private var encoder = FrameEncoder()
  /// The code of the end, where a test has heard it while it waited for something else.
  var lastEnd: ErrorCode?

  fileprivate init(channel: any Channel, received: AsyncQueue<ByteBuffer>) {
    self.channel = channel
    self.received = received
  }

  /// - Parameter source: The address to come from; the system's choice if it is nil.
  static func connect(to address: ServerAddress, from source: String? = nil) async throws -> RawPeer {
    let parts = address.rawValue.split(separator: ":")
    let received = AsyncQueue<ByteBuffer>()
    var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    if let source { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: source, port: 0)) }
    let channel =
      try await bootstrap
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

  /// Takes nothing more from the system: what the other end sends piles up.
  func stopReading() async {
    try? await channel.setOption(.autoRead, value: false).get()
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

  /// The bytes of the next whole DATA frame and its header; `nil` when the other end has closed.
  func nextData() async throws -> (DataHeader, ByteBuffer)? {
    while let event = try await nextEvent() {
      guard case .data(let header) = event else { continue }
      var bytes = ByteBuffer()
      while case .payload(let piece, let isLast) = try await nextEvent() {
        bytes.writeImmutableBuffer(piece)
        if isLast { return (header, bytes) }
      }
    }
    return nil
  }

  /// The code with which the other end refuses or gives up; `nil` if it just closes.
  func nextEnd() async throws -> ErrorCode? {
    if let lastEnd { return lastEnd }
    return try await next { frame in
      switch frame {
      case .welcome(.refused(let refusal)): refusal.code
      case .goAway(let goAway): goAway.code
      default: nil
      }
    }
  }

  // MARK: The handshake

  static func hello(
    serverID: String = "raw", clusterID: String = "sockets", target: String = "", address: String = "",
    features: Features = [], incarnation: UInt64 = 1
  ) throws -> Hello {
    try Hello(
      features: features, incarnation: incarnation, nonce: .random(), clusterID: clusterID,
      serverID: serverID,
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
    try await expectWelcome()
  }

  /// The same as the side that was dialled.
  func acceptHands(_ hello: Hello) async throws {
    let greeting = try await next { frame in if case .hello = frame { true } else { nil } }
    guard greeting == true else { throw NeverHappened(description: "a HELLO") }
    try await shakeHands(hello)
  }

  private func expectWelcome() async throws {
    let welcome = try await next { frame in
      if case .welcome(let welcome) = frame { welcome } else { nil }
    }
    guard case .accepted = welcome else {
      throw NeverHappened(description: "an accepting WELCOME instead of \(String(describing: welcome))")
    }
  }
}

/// A listener whose connections say whatever a test wants.
final class RawListener: Sendable {
  let address: ServerAddress
  private let channel: any Channel
  private let accepted: AsyncQueue<RawPeer>

  private init(channel: any Channel, accepted: AsyncQueue<RawPeer>) {
    self.channel = channel
    self.accepted = accepted
    address = ServerAddress("127.0.0.1:\(channel.localAddress?.port ?? 0)")
  }

  static func start() async throws -> RawListener {
    let accepted = AsyncQueue<RawPeer>()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let received = AsyncQueue<ByteBuffer>()
          let connection = RawPeer(channel: channel, received: received)
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
  func next() async throws -> RawPeer {
    guard let peer = await accepted.next() else { throw NeverHappened(description: "a connection") }
    return peer
  }

  func close() async {
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

  func channelInactive(context: ChannelHandlerContext) {
    received.finish()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A reset is a way to close, too.
    context.close(promise: nil)
  }
}
