/// One program in Go, as client and as server.
final class GoSystem: MeasuredSystem {
  let name: String
  private let peer: GoPeers.Peer
  private let server: PeerProcess
  private let client: PeerProcess
  private let files: SnapshotFiles

  init(_ peer: GoPeers.Peer, program: String, files: SnapshotFiles) async throws {
    self.name = peer.rawValue
    self.peer = peer
    self.files = files
    self.server = try PeerProcess(program: program, arguments: ["serve", peer.rawValue])
    do {
      let address = try await self.server.hear(PeerLines.Listening.self).address
      self.client = try PeerProcess(program: program, arguments: ["call", peer.rawValue, address])
    } catch {
      await self.server.stop()
      throw error
    }
  }

  func supports(_ workload: Workload) -> Bool {
    switch workload.kind {
    case .snapshot(let shape): shape.encoding == .plain
    case .latency(_, let isBusy): self.peer != .tcp || !isBusy
    case .unary, .pipeline: self.peer != .tcp
    }
  }

  func open(_ workload: Workload) async throws -> any MeasuringSession {
    GoSession(workload: workload, files: self.files, server: self.server, client: self.client)
  }

  func stop() async {
    await self.client.stop()
    await self.server.stop()
  }
}

private struct GoSession: MeasuringSession {
  let workload: Workload
  let files: SnapshotFiles
  let server: PeerProcess
  let client: PeerProcess

  func measure(_ duration: Duration) async throws -> Sample {
    let order = WorkloadOrder(self.workload, files: self.files, duration: duration)
    return try await self.client.ask(
      PeerLines.Order(order: "measure", workload: order), patience: duration + .seconds(30))
  }

  func usage() async throws -> Usage {
    let client = try await self.client.usage()
    return Usage(
      clientCPUSeconds: client.cpuSeconds, serverCPUSeconds: try await self.server.usage().cpuSeconds,
      wireBytes: client.wireBytes)
  }

  /// Its connections are its own affair; it keeps them as it would.
  func close() async {}
}
