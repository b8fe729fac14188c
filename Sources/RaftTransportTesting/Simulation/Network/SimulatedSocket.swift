internal import DequeModule
internal import NIOCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A TCP socket of the simulated network, as a NIO channel.
///
/// It stands for NIO's channel and the kernel's socket together: bytes wait here until the connection takes them, and
/// a read brings what the network has delivered.
final class SimulatedSocket: Channel, ChannelCore, @unchecked Sendable {
  // Confined to the simulation's thread.
  enum Phase {
    case opened
    case active
    case closed
  }

  let loop: SimulatedEventLoop
  let allocator = ByteBufferAllocator()
  let localAddress: SocketAddress?
  let remoteAddress: SocketAddress?
  private let closePromise: EventLoopPromise<Void>
  private(set) lazy var pipeline = ChannelPipeline(channel: self)
  private(set) var phase = Phase.opened
  private(set) var isWritable = true
  private(set) var hasClosedOutput = false
  private var hasSeenEnd = false
  /// What the socket writes to; `nil` before it is connected and after the machine has died.
  var outgoing: SimulatedDirection?
  private var unflushed = Deque<(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)>()
  private var flushed = Deque<(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)>()
  /// What came before the channel was active.
  private var early: [() -> Void] = []
  private(set) var pendingBytes = 0
  private var waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 32 * 1_024, high: 64 * 1_024)
  /// Told once, when the socket is closed.
  var closed: (() -> Void)?

  init(loop: SimulatedEventLoop, local: SocketAddress?, remote: SocketAddress?) {
    self.loop = loop
    localAddress = local
    remoteAddress = remote
    closePromise = loop.makePromise()
  }

  var isOpen: Bool { phase != .closed }

  // MARK: From the network, on the event loop

  /// The connection stands, and reading begins.
  func activate() {
    guard phase == .opened else { return }
    phase = .active
    pipeline.syncOperations.fireChannelRegistered()
    pipeline.syncOperations.fireChannelActive()
    // Whoever waits for the connection adds its handlers first.
    let early = early
    self.early = []
    for delivery in early { loop.at(loop.time.now, delivery) }
  }

  func deliver(_ bytes: ByteBuffer) {
    guard phase != .opened else { return early.append { self.deliver(bytes) } }
    guard phase == .active else { return }
    pipeline.syncOperations.fireChannelRead(NIOAny(bytes))
    pipeline.syncOperations.fireChannelReadComplete()
  }

  func deliverEnd() {
    guard phase != .opened else { return early.append { self.deliverEnd() } }
    guard phase == .active, !hasSeenEnd else { return }
    hasSeenEnd = true
    if hasClosedOutput { return close0(error: ChannelError.eof, mode: .all, promise: nil) }
    pipeline.syncOperations.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    pipeline.syncOperations.fireChannelReadComplete()
  }

  /// The other end says that there is no such connection.
  func deliverReset() {
    guard phase != .closed else { return }
    let error = IOError(errnoCode: ECONNRESET, reason: "read")
    if phase == .active { pipeline.syncOperations.fireErrorCaught(error) }
    close0(error: error, mode: .all, promise: nil)
  }

  /// Hands on what the connection has room for.
  func pump() {
    guard phase == .active, let outgoing else { return }
    while let (next, promise) = flushed.popFirst() {
      var bytes = next
      let room = outgoing.room
      guard room > 0 else {
        flushed.prepend((bytes, promise))
        break
      }
      if bytes.readableBytes > room, let part = bytes.readSlice(length: room) {
        pendingBytes -= room
        outgoing.send(part)
        flushed.prepend((bytes, promise))
      } else {
        pendingBytes -= bytes.readableBytes
        outgoing.send(bytes)
        promise?.succeed()
      }
    }
    if hasClosedOutput, flushed.isEmpty, unflushed.isEmpty { outgoing.sendEnd() }
    if !isWritable, pendingBytes < waterMark.low { becomeWritable(true) }
  }

  private func becomeWritable(_ isWritable: Bool) {
    self.isWritable = isWritable
    pipeline.syncOperations.fireChannelWritabilityChanged()
  }

  // MARK: Channel

  var eventLoop: any EventLoop { loop }
  var closeFuture: EventLoopFuture<Void> { closePromise.futureResult }
  var parent: (any Channel)? { nil }
  var isActive: Bool { phase == .active }
  // swift-format-ignore: NoLeadingUnderscores
  var _channelCore: any ChannelCore { self }
  var syncOptions: (any NIOSynchronousChannelOptions)? { Options(socket: self) }

  func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
    set(option, value)
    return loop.makeSucceededVoidFuture()
  }

  func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
    loop.makeFailedFuture(ChannelError.operationUnsupported)
  }

  /// All that the product sets is accepted; only the marks mean something here.
  private func set<Option: ChannelOption>(_ option: Option, _ value: Option.Value) {
    if let mark = value as? ChannelOptions.Types.WriteBufferWaterMark { waterMark = mark }
  }

  private struct Options: NIOSynchronousChannelOptions {
    let socket: SimulatedSocket

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
      socket.set(option, value)
    }

    func getOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
      throw ChannelError.operationUnsupported
    }
  }

  // MARK: ChannelCore

  func localAddress0() throws -> SocketAddress {
    guard let localAddress else { throw ChannelError.unknownLocalAddress }
    return localAddress
  }

  func remoteAddress0() throws -> SocketAddress {
    guard let remoteAddress else { throw ChannelError.operationUnsupported }
    return remoteAddress
  }

  func register0(promise: EventLoopPromise<Void>?) { promise?.succeed() }

  func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) { promise?.succeed() }

  func bind0(to address: SocketAddress, promise: EventLoopPromise<Void>?) {
    promise?.fail(ChannelError.operationUnsupported)
  }

  func connect0(to address: SocketAddress, promise: EventLoopPromise<Void>?) {
    promise?.fail(ChannelError.operationUnsupported)
  }

  func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard phase == .active, !hasClosedOutput else {
      promise?.fail(hasClosedOutput ? ChannelError.outputClosed : ChannelError.ioOnClosedChannel)
      return
    }
    let bytes = unwrapData(data, as: ByteBuffer.self)
    pendingBytes += bytes.readableBytes
    unflushed.append((bytes, promise))
    if isWritable, pendingBytes > waterMark.high { becomeWritable(false) }
  }

  func flush0() {
    flushed.append(contentsOf: unflushed)
    unflushed = []
    pump()
  }

  func read0() {}

  func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard isOpen else {
      promise?.fail(ChannelError.alreadyClosed)
      return
    }
    switch mode {
    case .output:
      hasClosedOutput = true
      promise?.succeed()
      pump()
      if hasSeenEnd { close0(error: ChannelError.eof, mode: .all, promise: nil) }
    case .input:
      promise?.fail(ChannelError.operationUnsupported)
    case .all:
      closeAll(error, promise)
    }
  }

  private func closeAll(_ error: any Error, _ promise: EventLoopPromise<Void>?) {
    let wasActive = phase == .active
    phase = .closed
    early = []
    let lost = Array(flushed) + Array(unflushed)
    flushed = []
    unflushed = []
    pendingBytes = 0
    for (_, promise) in lost { promise?.fail(error) }
    if !(error is IOError) { outgoing?.sendEnd() }
    promise?.succeed()
    if wasActive {
      pipeline.syncOperations.fireChannelInactive()
      pipeline.syncOperations.fireChannelUnregistered()
    }
    closed?()
    closed = nil
    // Later, since those who closed it may still go through the pipeline.
    loop.execute {
      self.removeHandlers(pipeline: self.pipeline)
      self.closePromise.succeed()
    }
  }

  func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
    promise?.fail(ChannelError.operationUnsupported)
  }

  func channelRead0(_ data: NIOAny) {}

  func errorCaught0(error: any Error) {}
}
