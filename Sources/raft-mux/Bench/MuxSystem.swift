import Foundation
import Logging
import NIOCore
import RaftTransport

/// This package's transport: the calling side in this process.
final class MuxSystem: MeasuredSystem {
  private let server: any AnsweringSide
  private let host: any AnsweringHost
  private let files: SnapshotFiles

  init(server: any AnsweringSide, host: any AnsweringHost, files: SnapshotFiles) {
    self.server = server
    self.host = host
    self.files = files
  }

  var name: SystemName { .rmux }

  func supports(_ workload: Workload) -> Bool {
    if case .snapshot(_, let size?) = workload.kind { size <= files.size } else { true }
  }

  func open(_ workload: Workload) async throws -> any MeasuringSession {
    switch workload.kind {
    case .codec(let message):
      return CodecSession(message: message)
    case .idle(let thing, let count):
      return try await IdleSession.open(thing, count: count, host: host)
    case .peers(let count, let batch):
      let server = try await host.start(.rmux, ServerShape(transports: count))
      do {
        return try await connected(
          to: server, .pipelines(batch), depth: Workload.deepPipeline, ownsServer: true)
      } catch {
        await server.stop()
        throw error
      }
    case .pipelines(let count, let batch):
      return try await connected(to: server, .pipelines(batch), pipelines: count)
    case .unary(let callers):
      return try await connected(to: server, .unary(callers: callers))
    case .pipeline(let batch, let depth):
      return try await connected(to: server, .pipelines(batch), depth: depth)
    case .snapshot(let shape, let size):
      let snapshot = try OutgoingSnapshot(shape.content, from: shape.source, files)
      return try await connected(
        to: server, .snapshot(size.map { try snapshot.cut(to: $0) } ?? snapshot),
        compression: shape.encoding.mode)
    case .latency(let question, let load):
      let snapshot = load == .idle ? nil : try OutgoingSnapshot(.random, from: .memory, files)
      return try await connected(
        to: server, .latency(question, load: snapshot, withPipeline: load == .busy),
        depth: Workload.deepPipeline, compression: .off)
    }
  }

  func stop() async {
    await server.stop()
  }

  /// - Parameters:
  ///   - depth: Of pipelines; `nil` for the transport's own.
  ///   - compression: `nil` for the transport's own.
  ///   - pipelines: How many there are to each peer.
  private func connected(
    to server: any AnsweringSide, _ work: MuxWork, depth: Int? = nil, compression: CompressionMode? = nil,
    pipelines: Int = 1, ownsServer: Bool = false
  ) async throws -> MuxSession {
    var configuration = Self.configuration(serverID: "client")
    if let depth { configuration.maxRPCsInFlight = depth }
    if let compression { configuration.compression = compression }
    let transport = try await MuxTransport.listen(on: "\(host.callerHost):0", configuration: configuration)
    let calls = ([server.address] + server.otherAddresses).enumerated().flatMap { number, address in
      [MuxCalls](
        repeating: MuxCalls(
          transport: transport, target: ServerAddress(address), peer: BenchServer.id(number)),
        count: pipelines)
    }
    return MuxSession(
      work: work, transport: transport, calls: calls, sides: TwoSides(server: server),
      ownsServer: ownsServer)
  }

  /// What both sides have in common.
  ///
  /// - Parameter streams: How many streams for AppendEntries there may be beside the usual ones: a process that wants
  ///   thousands of them gives each less of a window.
  static func configuration(serverID: ServerID, streams: Int = 0) -> TransportConfiguration {
    var configuration = TransportConfiguration(
      serverID: serverID, clusterID: "bench",
      logger: Logger(label: "raft-mux.bench") { _ in SwiftLogNoOpLogHandler() })
    if streams > 0 {
      let window = 16 << 10
      configuration.windows.initial = window
      configuration.limits.appendStreams += streams
      configuration.limits.waitingCalls += streams
      configuration.windows.receiveBudget += 2 * streams * window
    }
    return configuration
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
  /// One for each pipeline where there are several; otherwise one.
  let calls: [MuxCalls]
  let sides: TwoSides
  let ownsServer: Bool

  func measure(_ effort: Effort) async throws -> Sample {
    // Callers that never block run where the bytes arrive, as consensus code would.
    try await withTaskExecutorPreference(transport.executor) { try await call(effort) }
  }

  private func call(_ effort: Effort) async throws -> Sample {
    guard let first = calls.first else { throw BenchError("there is nobody to call") }
    switch work {
    case .unary(let callers):
      return try await first.unary(callers: callers, Workload.unaryBatch, effort.duration)
    case .pipelines(let batch):
      return try await MuxCalls.pipelines(calls, batch, effort.duration)
    case .snapshot(let snapshot):
      let cut = try effort.snapshotLimit.map { try snapshot.cut(to: $0) }
      return try await first.snapshots(cut ?? snapshot, effort.duration)
    case .latency(let question, nil, _):
      return try await first.latency(question, effort)
    case .latency(let question, let load?, let withPipeline):
      return try await first.latency(question, beside: load, withPipeline: withPipeline, effort)
    }
  }

  func count(_ isOn: Bool) async throws {
    try await sides.count(isOn)
  }

  func usage() async throws -> Usage {
    let connections = await transport.statistics().connections
    return try await sides.usage(wireBytes: connections.reduce(0) { $0 + $1.bytesSent + $1.bytesReceived })
  }

  func close() async {
    await transport.close()
    if ownsServer { await sides.server.stop() }
  }
}

/// A workload with its bytes at hand.
private enum MuxWork {
  case unary(callers: Int)
  case pipelines(Workload.Batch)
  case snapshot(OutgoingSnapshot)
  case latency(Workload.Question, load: OutgoingSnapshot?, withPipeline: Bool)
}
