import Foundation
import NIOCore
import NIOPosix

/// `raft-mux bench --serve`: starts answering processes for a benchmark that runs elsewhere.
///
/// It obeys whoever reaches its port, and is meant for a network of one's own.
struct HostService: Sendable {
  private let host: any AnsweringHost
  private let channel: any Channel
  private let callers: AsyncStream<Caller>

  private struct Caller: Sendable {
    let lines: AsyncStream<String>
    let channel: any Channel
  }

  /// - Parameter address: Where orders come in; the answering processes listen at the same host.
  static func listen(at address: String, goPeers: GoPeers?) async throws -> HostService {
    let host = try RemoteHost.resolve(address).ipAddress ?? "127.0.0.1"
    return try await listen(at: address, host: LocalHost(address: host, goPeers: goPeers))
  }

  /// - Parameter host: What starts the answering processes.
  static func listen(at address: String, host: any AnsweringHost) async throws -> HostService {
    let socket = try RemoteHost.resolve(address)
    let (callers, feed) = AsyncStream.makeStream(of: Caller.self)
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        let (lines, lineFeed) = AsyncStream.makeStream(of: String.self)
        feed.yield(Caller(lines: lines, channel: channel))
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(LineFeedingHandler(lineFeed))
        }
      }
      .bind(to: socket).get()
    channel.closeFuture.whenComplete { _ in feed.finish() }
    return HostService(host: host, channel: channel, callers: callers)
  }

  /// Where it listens.
  var address: String {
    "\(channel.localAddress?.ipAddress ?? ""):\(channel.localAddress?.port ?? 0)"
  }

  /// Obeys until the task is cancelled.
  func run() async {
    await withTaskCancellationHandler {
      await withDiscardingTaskGroup { group in
        for await caller in callers { group.addTask { await obey(caller) } }
      }
    } onCancel: {
      channel.close(promise: nil)
    }
  }

  /// Obeys one caller until it goes, and ends what it had started.
  private func obey(_ caller: Caller) async {
    var sides: [Int: any AnsweringSide] = [:]
    for await line in caller.lines {
      let reply: Data?
      do {
        reply = try await answer(PeerLines.decode(PeerLines.Order.self, line), &sides)
      } catch {
        reply = try? PeerLines.encode(PeerLines.Failure(failure: "\(error)"))
      }
      if let reply { caller.channel.writeAndFlush(ByteBuffer(bytes: reply), promise: nil) }
    }
    for side in sides.values { await side.stop() }
    try? await caller.channel.close()
  }

  private func answer(
    _ order: PeerLines.Order, _ sides: inout [Int: any AnsweringSide]
  ) async throws -> Data {
    if order.order == "machine" { return try PeerLines.encode(Machine.current) }
    guard let number = order.side else { throw BenchError("an order for nobody") }
    if order.order == "serve", let system = order.system {
      let side = try await host.start(system, order.shape ?? ServerShape())
      await sides.removeValue(forKey: number)?.stop()
      sides[number] = side
      return try PeerLines.encode(
        PeerLines.Listening(address: side.address, others: side.otherAddresses))
    }
    guard let side = sides[number] else { throw BenchError("process \(number) was not started") }
    switch order.order {
    case "usage":
      return try PeerLines.encode(try await side.usage())
    case "count", "discount":
      try await side.count(order.order == "count")
      return try PeerLines.encode(PeerLines.Done(done: order.order))
    case "stop":
      sides[number] = nil
      await side.stop()
      return try PeerLines.encode(PeerLines.Done(done: order.order))
    default:
      throw BenchError("unknown order \(order.order)")
    }
  }
}
