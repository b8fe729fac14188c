import Logging
import NIOCore
import NIOEmbedded
import RaftWire

@testable import RaftTransport

/// The serving of old peers on an event loop and on channels that a test turns by hand, in one thread.
struct EmbeddedServing {
  let loop = EmbeddedEventLoop()
  let services: InboundServices
  let listener: ClassicListener

  init(_ configure: (inout TransportConfiguration) -> Void = { _ in }) {
    var configuration = TransportConfiguration(serverID: "server", clusterID: "classic", logger: .quiet)
    configure(&configuration)
    services = InboundServices(configuration: configuration)
    listener = ClassicListener(configuration: configuration, services: services, eventLoop: loop)
  }

  /// A connection that begins now.
  ///
  /// - Parameter tap: Hears when the server wants to read.
  func connect(tap: ReadTap? = nil) throws -> EmbeddedChannel {
    let channel = EmbeddedChannel(loop: loop)
    if let tap { try channel.pipeline.syncOperations.addHandler(tap) }
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
    try listener.serve(channel, acceptedAt: loop.now)
    return channel
  }

  /// Lets time pass, and whatever is due happen.
  func pass(_ time: TimeAmount) {
    loop.advanceTime(by: time)
  }

  /// How many connections ended because their peers took too long.
  var silentEnds: Int { Int(services.counters.all.closures["silent"] ?? 0) }

  /// Answers the request that is with the handlers.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  func answer() -> Bool {
    guard let rpc = listener.takeRequest() else { return false }
    rpc.fail("no")
    loop.run()
    return true
  }
}

/// Notes that somebody wants to read, whom it lets wait.
final class ReadTap: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer

  var isWanted = true

  func read(context: ChannelHandlerContext) {
    isWanted = true
  }
}
