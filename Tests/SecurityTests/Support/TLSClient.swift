#if Authentication
  import NIOCore
  import NIOPosix
  import NIOSSL
  import RaftTransport

  /// A client that is none of ours: it speaks TLS as it likes, and keeps what it hears.
  final class TLSClient: Sendable {
    private let channel: any Channel
    private let heard: EventLoopFuture<String>

    private init(channel: any Channel, heard: EventLoopFuture<String>) {
      self.channel = channel
      self.heard = heard
    }

    /// - Parameter configuration: `nil` for a client that says nothing at all.
    static func connect(to port: Int, _ configuration: TLSConfiguration?) async throws -> TLSClient {
      let loop = MultiThreadedEventLoopGroup.singleton.next()
      let heard = loop.makePromise(of: String.self)
      let context = try configuration.map { try NIOSSLContext(configuration: $0) }
      let channel = try await ClientBootstrap(group: loop)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            if let context {
              try channel.pipeline.syncOperations.addHandler(
                try NIOSSLClientHandler(context: context, serverHostname: nil))
            }
            try channel.pipeline.syncOperations.addHandler(Listening(promise: heard))
          }
        }
        .connect(host: "127.0.0.1", port: port).get()
      return TLSClient(channel: channel, heard: heard.futureResult)
    }

    func send(_ bytes: [UInt8]) async throws {
      try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// All errors until the other end closes, in words.
    func errors() async throws -> String { try await heard.get() }

    func close() async { try? await channel.close() }

    private final class Listening: ChannelInboundHandler {
      typealias InboundIn = ByteBuffer

      private let promise: EventLoopPromise<String>
      private var errors: [String] = []

      init(promise: EventLoopPromise<String>) { self.promise = promise }

      func errorCaught(context: ChannelHandlerContext, error: any Error) {
        errors.append("\(error)")
        context.close(promise: nil)
      }

      func channelInactive(context: ChannelHandlerContext) {
        promise.succeed(errors.joined(separator: "; "))
      }
    }
  }

  extension MuxTransport {
    /// The port that peers dial.
    var port: Int { Int(localAddress.rawValue.split(separator: ":").last ?? "") ?? 0 }
  }
#endif
