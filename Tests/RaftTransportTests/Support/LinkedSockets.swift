import NIOCore
import NIOPosix
import RaftTransport
import RaftTransportTesting
import Testing

/// Plain sockets on both sides of a faulty link.
enum LinkedSockets {
  typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  /// Runs a body with a client's and a server's end of one connection through a link.
  static func withLink(
    profile: LinkProfile = .unlimited,
    _ body: @escaping @Sendable (FaultyLink, LinkEnd, LinkEnd) async throws -> Void
  ) async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    let server = try await ServerBootstrap(group: group)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture { try LinkedSockets.wrap(channel) }
      }
    let port = try #require(server.channel.localAddress?.port)
    let link = try await FaultyLink.start(to: ServerAddress("127.0.0.1:\(port)"), profile: profile)
    let linkPort = try #require(link.address.rawValue.split(separator: ":").last.flatMap { Int($0) })
    try await server.executeThenClose { accepted in
      let client = try await ClientBootstrap(group: group)
        .channelOption(.allowRemoteHalfClosure, value: true)
        .connect(host: "127.0.0.1", port: linkPort) { channel in
          channel.eventLoop.makeCompletedFuture { try LinkedSockets.wrap(channel) }
        }
      var servers = accepted.makeAsyncIterator()
      let served = try #require(try await servers.next())
      try await client.executeThenClose { clientInbound, clientOutbound in
        try await served.executeThenClose { serverInbound, serverOutbound in
          let near = LinkEnd(inbound: clientInbound, outbound: clientOutbound)
          let far = LinkEnd(inbound: serverInbound, outbound: serverOutbound)
          do {
            try await body(link, near, far)
            await link.close()
          } catch {
            await link.close()
            throw error
          }
        }
      }
    }
  }

  static func wrap(_ channel: any Channel) throws -> Connection {
    try Connection(
      wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
  }
}

/// One end of a connection, read as text.
final class LinkEnd: Sendable {
  let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  private let reader: Reader

  /// Owns the iterator, which only one task may use at a time.
  private actor Reader {
    private let iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var pending = ByteBuffer()

    init(_ inbound: NIOAsyncChannelInboundStream<ByteBuffer>) {
      self.iterator = inbound.makeAsyncIterator()
    }

    func read(_ count: Int) async throws -> String {
      while self.pending.readableBytes < count {
        // Copies of the iterator share what they read from.
        var iterator = self.iterator
        guard var more = try await iterator.next(isolation: self) else { break }
        self.pending.writeBuffer(&more)
      }
      return self.pending.readString(length: min(count, self.pending.readableBytes)) ?? ""
    }
  }

  init(
    inbound: NIOAsyncChannelInboundStream<ByteBuffer>, outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) {
    self.outbound = outbound
    self.reader = Reader(inbound)
  }

  func send(_ text: String) async throws {
    try await self.outbound.write(ByteBuffer(string: text))
  }

  /// So many bytes, or fewer at the end.
  func receive(_ count: Int) async throws -> String {
    try await self.reader.read(count)
  }

  func receiveAll() async throws -> String {
    try await self.receive(.max)
  }
}
