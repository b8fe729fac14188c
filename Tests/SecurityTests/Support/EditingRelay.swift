#if Authentication
  import NIOCore
  import NIOPosix
  import RaftTransport
  import Synchronization

  /// A middleman: takes connections, makes one of its own for each, and changes what passes as a test tells it.
  final class EditingRelay: Sendable {
    enum Direction: Sendable, Hashable {
      case fromDialler
      case fromAcceptor
    }

    /// Gets each piece as it came and returns what goes on.
    typealias Edit = @Sendable (Direction, ByteBuffer) -> ByteBuffer

    let address: ServerAddress
    private let channel: any Channel

    private init(channel: any Channel) {
      self.channel = channel
      address = ServerAddress("127.0.0.1:\(channel.localAddress?.port ?? 0)")
    }

    static func start(to port: Int, edit: @escaping Edit) async throws -> EditingRelay {
      let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .childChannelInitializer { near in
          // The near side reads nothing before this is done.
          ClientBootstrap(group: near.eventLoop)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port)
            .flatMap { far in
              do {
                try near.pipeline.syncOperations.addHandler(Passing(.fromDialler, to: far, edit))
                try far.pipeline.syncOperations.addHandler(Passing(.fromAcceptor, to: near, edit))
              } catch {
                return near.eventLoop.makeFailedFuture(error)
              }
              return far.setOption(.autoRead, value: true)
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
      return EditingRelay(channel: channel)
    }

    func close() async { try? await channel.close() }

    private final class Passing: ChannelInboundHandler {
      typealias InboundIn = ByteBuffer

      private let direction: Direction
      private let other: any Channel
      private let edit: Edit

      init(_ direction: Direction, to other: any Channel, _ edit: @escaping Edit) {
        self.direction = direction
        self.other = other
        self.edit = edit
      }

      func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other.writeAndFlush(edit(direction, unwrapInboundIn(data)), promise: nil)
      }

      func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

      func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
  }
#endif
