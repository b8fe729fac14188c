import NIOCore

/// One connection to an old peer, and the exchange that has it.
///
/// Confined to the event loop. Bytes that come while nobody has the connection mean that the peer is out of step; it
/// is closed then, as it is when the peer closes it.
final class ClassicConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let address: ServerAddress
  private let caller: ClassicCaller
  private var exchange: (any ClassicExchange)?
  private var context: ChannelHandlerContext?
  private var failure: (any Error)?
  /// Whether it may serve further exchanges.
  private var isReusable = true
  private var isShutDown = false
  private(set) var isOver = false
  /// Whether any exchange had it before the one that has it now.
  private(set) var isFresh = true
  /// Whether the peer has said anything to the exchange that has it.
  private(set) var hasHeard = false
  private var lastTarget: DialTarget
  private var bytesReceived: UInt64 = 0
  private var bytesSent: UInt64 = 0

  init(target: DialTarget, caller: ClassicCaller) {
    address = target.address
    lastTarget = target
    self.caller = caller
  }

  var eventLoop: any EventLoop { caller.eventLoop }

  var isIdle: Bool { exchange == nil }

  // MARK: For exchanges

  /// Gives the connection to an exchange.
  func give(to exchange: any ClassicExchange) {
    precondition(self.exchange == nil, "a connection has one exchange at a time")
    guard !isOver else {
      return exchange.failed(
        TransportError(.connectionLost, "to \(exchange.target.name)", delivery: .notDelivered))
    }
    self.exchange = exchange
    lastTarget = exchange.target
    hasHeard = false
    exchange.begin(on: self)
  }

  /// The exchange is over and the connection in step: another one may have it.
  func giveBack() {
    exchange = nil
    isFresh = false
    if isReusable, !isOver { caller.keep(self) } else { close() }
  }

  /// The exchange is over and nothing can follow it.
  func abandon() {
    exchange = nil
    close()
  }

  func write(_ bytes: ByteBuffer) {
    bytesSent += UInt64(bytes.readableBytes)
    context?.write(wrapOutboundOut(bytes), promise: nil)
  }

  func flush() {
    context?.flush()
  }

  /// Writes bytes, and tells when the socket has them; it is not told if the connection ends before.
  func writeAndFlush(_ bytes: ByteBuffer, written: @escaping () -> Void) {
    guard let context else { return }
    bytesSent += UInt64(bytes.readableBytes)
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenSuccess(written)
    context.writeAndFlush(wrapOutboundOut(bytes), promise: promise)
  }

  /// Lets the peer wait with its bytes, or not.
  func setReading(_ isReading: Bool) {
    // A connection that is closing takes no options, and gives no bytes either.
    try? context?.channel.syncOptions?.setOption(.autoRead, value: isReading)
  }

  /// A call was answered: the peer speaks the old protocol.
  func notePeerAnswered() {
    caller.answered(lastTarget)
  }

  // MARK: Orders

  func close() {
    context?.close(promise: nil)
  }

  /// It is closed as soon as its exchange is over.
  func retire() {
    isReusable = false
    if let exchange { exchange.streamsClosing(self) } else { close() }
  }

  func shutDown() {
    isShutDown = true
    close()
  }

  // MARK: The channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end()
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    bytesReceived += UInt64(bytes.readableBytes)
    guard let exchange else { return close() }
    hasHeard = true
    exchange.received(bytes.withoutPinning(), self)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failure = error
    context.close(promise: nil)
  }

  private func end() {
    guard !isOver else { return }
    isOver = true
    // The caller hears it first: whoever learns of the end below may call again at once.
    caller.ended(self)
    guard let exchange else { return }
    self.exchange = nil
    let end: ClassicEnd = isShutDown ? .shutdown : failure.map { .failed($0) } ?? .closedByPeer
    exchange.ended(end, self)
  }

  var statistics: TransportStatistics.Connection {
    let channel = context?.channel
    return TransportStatistics.Connection(
      peerID: lastTarget.id, peerAddress: address, peerProtocol: .classic, isDialled: true,
      carriesCalls: true,
      localPort: channel?.localAddress?.port ?? 0, remotePort: channel?.remoteAddress?.port ?? 0,
      streams: .none, bytesReceived: bytesReceived, bytesSent: bytesSent,
      callsInFlight: exchange?.callsInFlight ?? 0, receiveWindow: 0,
      snapshots: exchange?.snapshotProgress.map { [$0] } ?? [])
  }
}
