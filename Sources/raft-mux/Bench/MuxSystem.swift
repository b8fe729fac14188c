import Foundation
import Logging
import NIOCore
import RaftTransport

/// This package's transport: the client in this process, the server in another one.
final class MuxSystem: MeasuredSystem {
  static let name = "rmux"

  private let server: PeerProcess
  private let target: ServerAddress
  private let files: SnapshotFiles

  /// Starts the server.
  init(files: SnapshotFiles) async throws {
    self.files = files
    self.server = try PeerProcess(arguments: BenchServerCommand.arguments(.mux))
    self.target = ServerAddress(try await self.server.hear(PeerLines.Listening.self).address)
  }

  var name: String { Self.name }

  func supports(_ workload: Workload) -> Bool { true }

  func open(_ workload: Workload) async throws -> any MeasuringSession {
    var configuration = Self.configuration(serverID: "client")
    switch workload.kind {
    case .unary:
      break
    case .pipeline(_, let depth):
      if let depth { configuration.maxRPCsInFlight = depth }
    case .snapshot(let shape):
      configuration.compression = shape.encoding.mode
    case .latency:
      configuration.maxRPCsInFlight = Workload.deepPipeline
      configuration.compression = .off
    }
    let transport = try await MuxTransport.listen(on: "127.0.0.1:0", configuration: configuration)
    let calls = MuxCalls(transport: transport, target: self.target)
    return MuxSession(
      work: try MuxWork(workload, files: self.files), transport: transport, calls: calls, server: self.server)
  }

  func stop() async {
    await self.server.stop()
  }

  /// What both sides have in common.
  static func configuration(serverID: ServerID) -> TransportConfiguration {
    TransportConfiguration(
      serverID: serverID, clusterID: "bench",
      logger: Logger(label: "raft-mux.bench") { _ in SwiftLogNoOpLogHandler() })
  }
}

extension Workload.SnapshotEncoding {
  fileprivate var mode: CompressionMode {
    switch self {
    case .plain: .off
    case .zlib: .on(level: 1)
    case .auto: .automatic
    }
  }
}

/// One workload on this package's transport.
private struct MuxSession: MeasuringSession {
  let work: MuxWork
  let transport: MuxTransport
  let calls: MuxCalls
  let server: PeerProcess

  func measure(_ duration: Duration) async throws -> Sample {
    // Callers that never block run where the bytes arrive, as consensus code would.
    try await withTaskExecutorPreference(transport.executor) { try await call(duration) }
  }

  private func call(_ duration: Duration) async throws -> Sample {
    switch work {
    case .unary(let callers):
      try await calls.unary(callers: callers, Workload.unaryBatch, duration)
    case .pipeline(let batch):
      try await calls.pipeline(batch, duration)
    case .snapshot(let snapshot):
      try await calls.snapshots(snapshot, duration)
    case .latency(let question, nil):
      try await calls.latency(question, duration)
    case .latency(let question, let load?):
      try await calls.latency(question, beside: load, duration)
    }
  }

  func usage() async throws -> Usage {
    let connections = await self.transport.statistics().connections
    return Usage(
      clientCPUSeconds: ProcessorTime.seconds, serverCPUSeconds: try await self.server.usage().cpuSeconds,
      wireBytes: connections.reduce(0) { $0 + $1.bytesSent + $1.bytesReceived })
  }

  func close() async {
    await self.transport.close()
  }
}

/// A workload with its bytes at hand.
private enum MuxWork {
  case unary(callers: Int)
  case pipeline(Workload.Batch)
  case snapshot(OutgoingSnapshot)
  case latency(Workload.Question, load: OutgoingSnapshot?)

  init(_ workload: Workload, files: SnapshotFiles) throws {
    switch workload.kind {
    case .unary(let callers):
      self = .unary(callers: callers)
    case .pipeline(let batch, _):
      self = .pipeline(batch)
    case .snapshot(let shape):
      self = .snapshot(try OutgoingSnapshot(shape.content, from: shape.source, files))
    case .latency(let question, let isBusy):
      self = .latency(question, load: isBusy ? try OutgoingSnapshot(.random, from: .memory, files) : nil)
    }
  }
}
