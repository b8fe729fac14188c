import NIOCore
import RaftTransport
import Synchronization

/// Stands for a node at an address of its own: takes RPCs off its transport and puts them on the connection to the
/// node, so that every connection between nodes ends in this library on one side.
///
/// Appends of one origin are passed on one after the other, as a node would see them on its stream; heartbeats, votes
/// and snapshots pass them.
final class Relay: Sendable {
  let node: ServerID
  private let transport: MuxTransport
  private let target = Mutex(ServerAddress?.none)
  private let relayed = Mutex(Relayed())
  private let serving = Mutex(Task<Void, Never>?.none)

  /// How many RPCs came back with a response.
  struct Relayed: Sendable {
    var appends = 0
    var votes = 0
    var snapshots = 0
    var timeoutNows = 0
  }

  /// Opens a relay that leads nowhere yet.
  init(node: String) async throws {
    self.node = ServerID(node)
    transport = try await MuxTransport.listen(
      on: "127.0.0.1:0",
      configuration: TransportConfiguration(
        serverID: ServerID("relay-\(node)"), clusterID: "interop", timeout: .seconds(5),
        wireProfile: .original, logger: .interop))
    serving.withLock { $0 = Task { await self.serve() } }
  }

  /// Where the other nodes find the node.
  var address: String { transport.localAddress.rawValue }

  var counts: Relayed { relayed.withLock { $0 } }

  /// Where RPCs pass to now.
  var destination: String? { target.withLock { $0?.rawValue } }

  /// Lets RPCs pass to the node's own address, or, with `nil`, none.
  func lead(to address: String?) {
    target.withLock { $0 = address.map { ServerAddress($0) } }
  }

  func close() async {
    await transport.close()
    await serving.withLock { $0 }?.value
  }

  private func serve() async {
    await withDiscardingTaskGroup { group in
      var queues: [ServerID: AsyncStream<IncomingRPC>.Continuation] = [:]
      for await rpc in transport.consumer {
        guard case .appendEntries = rpc.command, !rpc.isHeartbeat else {
          group.addTask { await self.pass(rpc) }
          continue
        }
        if let queue = queues[rpc.origin.id] {
          queue.yield(rpc)
          continue
        }
        let (rpcs, queue) = AsyncStream.makeStream(of: IncomingRPC.self)
        queues[rpc.origin.id] = queue
        queue.yield(rpc)
        group.addTask { for await rpc in rpcs { await self.pass(rpc) } }
      }
      for queue in queues.values { queue.finish() }
    }
  }

  private func pass(_ rpc: IncomingRPC) async {
    guard let target = target.withLock({ $0 }) else {
      rpc.fail("the relay leads nowhere")
      return
    }
    switch rpc.command {
    case .appendEntries(let request, let responder):
      await answer(responder, \.appends) {
        try await self.transport.appendEntries(id: self.node, target: target, request)
      }
    case .requestVote(let request, let responder):
      await answer(responder, \.votes) {
        try await self.transport.requestVote(id: self.node, target: target, request)
      }
    case .requestPreVote(let request, let responder):
      await answer(responder, \.votes) {
        try await self.transport.requestPreVote(id: self.node, target: target, request)
      }
    case .timeoutNow(let request, let responder):
      await answer(responder, \.timeoutNows) {
        try await self.transport.timeoutNow(id: self.node, target: target, request)
      }
    case .installSnapshot(let request, let body, let responder):
      await answer(responder, \.snapshots) {
        try await self.transport.installSnapshot(
          id: self.node, target: target, request, data: SnapshotSource(body))
      }
    }
  }

  private func answer<Response>(
    _ responder: Responder<Response>, _ counter: any WritableKeyPath<Relayed, Int> & Sendable,
    _ call: () async throws -> Response
  ) async {
    do {
      let response = try await call()
      relayed.withLock { $0[keyPath: counter] += 1 }
      responder.succeed(response)
    } catch let error as TransportError {
      responder.fail(error.remote?.text ?? "\(error)")
    } catch {
      responder.fail("\(error)")
    }
  }
}
