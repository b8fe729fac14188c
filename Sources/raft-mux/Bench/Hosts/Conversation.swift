import Foundation
import NIOCore
import NIOPosix

/// One question in a line of JSON, one answer in another: with a process of our own, or with another machine.
actor Conversation {
  /// A process that takes longer than this has no answer.
  static let patience = Duration.seconds(20)

  private var lines: AsyncStream<String>.AsyncIterator
  private let write: @Sendable (Data) throws -> Void
  private let end: @Sendable () async -> Void

  init(
    lines: AsyncStream<String>, write: @escaping @Sendable (Data) throws -> Void,
    end: @escaping @Sendable () async -> Void
  ) {
    self.lines = lines.makeAsyncIterator()
    self.write = write
    self.end = end
  }

  /// The next line that the other side says by itself.
  ///
  /// - Parameter patience: Who takes longer is ended, so that no measurement hangs.
  func hear<Line: Decodable & Sendable>(
    _ type: Line.Type = Line.self, patience: Duration = patience
  ) async throws -> Line {
    let end = self.end
    let watchdog = Task {
      // Cancelled when the line comes.
      try await Task.sleep(for: patience)
      await end()
    }
    defer { watchdog.cancel() }
    var reader = lines
    let line = await reader.next(isolation: self)
    lines = reader
    guard let line else { throw BenchError("a process ended, or gave no answer within \(patience)") }
    return try PeerLines.decode(type, line)
  }

  /// Sends an order and waits for the answer.
  func ask<Line: Decodable & Sendable>(
    _ order: PeerLines.Order, for type: Line.Type = Line.self, patience: Duration = patience
  ) async throws -> Line {
    try write(PeerLines.encode(order))
    return try await hear(type, patience: patience)
  }

  /// Ends the process or the connection.
  func stop() async {
    await end()
  }
}

extension Conversation {
  /// With this executable, started once more, or with another program.
  static func withProcess(
    program: String? = nil, arguments: [String]
  ) throws -> (Conversation, processID: Int32) {
    let (lines, feed) = AsyncStream.makeStream(of: String.self)
    let process = try ChildProcess(
      program: program, arguments: arguments, onLine: { feed.yield($0) }, onEnd: { feed.finish() })
    let conversation = Conversation(
      lines: lines, write: { try process.write($0) }, end: { await process.end() })
    return (conversation, process.id)
  }

  /// With whoever listens at an address; with it comes the address of our own end.
  static func connected(to address: SocketAddress) async throws -> (Conversation, localHost: String) {
    let (lines, feed) = AsyncStream.makeStream(of: String.self)
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(LineFeedingHandler(feed))
        }
      }
      .connect(to: address).get()
    let conversation = Conversation(
      lines: lines,
      write: { channel.writeAndFlush(ByteBuffer(bytes: $0), promise: nil) },
      end: { try? await channel.close() })
    return (conversation, channel.localAddress?.ipAddress ?? "127.0.0.1")
  }
}
