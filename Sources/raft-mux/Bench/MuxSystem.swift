import Foundation
import Logging
import NIOCore
import RaftTransport

/// This package's transport: the calling side in this process.
final class MuxSystem: MeasuredSystem {
  private let server: any AnsweringSide
  private let callerHost: String
  private let files: SnapshotFiles

  /// - Parameter callerHost: The address that the calling side listens on.
  init(server: any AnsweringSide, callerHost: String, files: SnapshotFiles) {
    self.server = server
    self.callerHost = callerHost
    self.files = files
  }

  var name: SystemName { .rmux }

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
    let transport = try await MuxTransport.listen(on: "\(callerHost):0", configuration: configuration)
    let calls = MuxCalls(transport: transport, target: ServerAddress(server.address))
    return MuxSession(
      work: try MuxWork(workload, files: files), transport: transport, calls: calls, server: server)
  }

  func stop() async {
    await server.stop()
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
  let server: any AnsweringSide

  func measure(_ effort: Effort) async throws -> Sample {
    switch work {
    case .unary(let callers):
      return try await calls.unary(callers: callers, Workload.unaryBatch, effort.duration)
    case .pipeline(let batch):
      return try await calls.pipeline(batch, effort.duration)
    case .snapshot(let snapshot):
      let cut = try effort.snapshotLimit.map { try snapshot.cut(to: $0) }
      return try await calls.snapshots(cut ?? snapshot, effort.duration)
    case .latency(let question, nil, _):
      return try await calls.latency(question, effort)
    case .latency(let question, let load?, let withPipeline):
      return try await calls.latency(question, beside: load, withPipeline: withPipeline, effort)
    }
  }

  func usage() async throws -> Usage {
    let connections = await transport.statistics().connections
    return Usage(
      clientCPUSeconds: ProcessorTime.seconds, serverCPUSeconds: try await server.usage().cpuSeconds,
      wireBytes: connections.reduce(0) { $0 + $1.bytesSent + $1.bytesReceived })
  }

  func close() async {
    await transport.close()
  }
}

/// A workload with its bytes at hand.
private enum MuxWork {
  case unary(callers: Int)
  case pipeline(Workload.Batch)
  case snapshot(OutgoingSnapshot)
  case latency(Workload.Question, load: OutgoingSnapshot?, withPipeline: Bool)

  init(_ workload: Workload, files: SnapshotFiles) throws {
    switch workload.kind {
    case .unary(let callers):
      self = .unary(callers: callers)
    case .pipeline(let batch, _):
      self = .pipeline(batch)
    case .snapshot(let shape):
      self = .snapshot(try OutgoingSnapshot(shape.content, from: shape.source, files))
    case .latency(let question, let load):
      self = .latency(
        question, load: load == .idle ? nil : try OutgoingSnapshot(.random, from: .memory, files),
        withPipeline: load == .busy)
    }
  }
}
