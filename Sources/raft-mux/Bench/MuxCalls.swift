import NIOCore
import RaftTransport
import Synchronization

/// The workloads, through nothing but the transport's public interface.
struct MuxCalls: Sendable {
  let transport: any Transport
  let target: ServerAddress
  let peer: ServerID
  let header = RPCHeader(
    protocolVersion: 3, id: ByteBuffer(string: "client"), address: ByteBuffer(string: "127.0.0.1:8300"))
  let leader = ByteBuffer(string: "127.0.0.1:8300")

  init(transport: any Transport, target: ServerAddress, peer: ServerID = BenchServer.serverID) {
    self.transport = transport
    self.peer = peer
    self.target = target
  }

  // MARK: AppendEntries

  /// Calls of several callers at once.
  func unary(callers: Int, _ batch: Workload.Batch, _ duration: Duration) async throws -> Sample {
    let append = append(batch)
    let watch = Stopwatch(duration)
    let recorder = try await withThrowingTaskGroup(of: LatencyRecorder.self) { group in
      for _ in 0..<callers {
        group.addTask {
          var recorder = LatencyRecorder()
          var start = ContinuousClock.now
          repeat {
            let response = try await transport.appendEntries(
              id: peer, target: target, append.request)
            try append.check(response)
            let end = ContinuousClock.now
            recorder.record(nanoseconds: (end - start).inNanoseconds)
            start = end
          } while watch.isRunning
          return recorder
        }
      }
      var all = LatencyRecorder()
      for try await one in group { all.add(one) }
      return all
    }
    return Sample(
      operations: recorder.count, payloadBytes: recorder.count * batch.byteCount, seconds: watch.seconds,
      latency: recorder.latency)
  }

  /// Requests through several pipelines at once, as many as they take.
  static func pipelines(
    _ calls: [MuxCalls], _ batch: Workload.Batch, _ duration: Duration
  ) async throws -> Sample {
    let watch = Stopwatch(duration)
    let count = Tally()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for caller in calls {
        group.addTask { try await caller.pipeline(batch, counting: count) { watch.isRunning } }
      }
      try await group.waitForAll()
    }
    return Sample(
      operations: count.value, payloadBytes: count.value * batch.byteCount, seconds: watch.seconds)
  }

  func pipeline(
    _ batch: Workload.Batch, counting answers: Tally, while goesOn: @escaping @Sendable () -> Bool
  ) async throws {
    let append = append(batch)
    try await transport.withAppendPipeline(id: peer, target: target) { pipeline in
      async let sending: Void = Self.send(append.request, through: pipeline, while: goesOn)
      for await future in pipeline.consumer {
        try append.check(try await future.response)
        answers.add(1)
      }
      try await sending
    }
  }

  /// Ends the pipeline when the last answer has come.
  private static func send(
    _ request: AppendEntriesRequest, through pipeline: any AppendPipeline, while goesOn: () -> Bool
  ) async throws {
    var last: AppendFuture?
    // One at least, however long it took to get here.
    repeat { last = try await pipeline.appendEntries(request) } while goesOn() && !Task.isCancelled
    _ = try await last?.response
    await pipeline.close()
  }

  private func append(_ batch: Workload.Batch) -> SummedAppend {
    SummedAppend(batch, header: header, leader: leader)
  }

  // MARK: Snapshots

  /// Whole snapshots, one after the other; one at least.
  func snapshots(_ snapshot: OutgoingSnapshot, _ duration: Duration) async throws -> Sample {
    let watch = Stopwatch(duration)
    var count = 0
    repeat {
      try await send(snapshot, snapshot.source())
      count += 1
    } while watch.isRunning
    return Sample(operations: count, payloadBytes: count * snapshot.size, seconds: watch.seconds)
  }

  func send(_ snapshot: OutgoingSnapshot, _ source: SnapshotSource) async throws {
    let request = InstallSnapshotRequest(
      header: header, snapshotVersion: 1, term: 1, leader: leader, lastLogIndex: 1, lastLogTerm: 1,
      size: Int64(snapshot.size))
    let response = try await transport.installSnapshot(
      id: peer, target: target, request, data: source)
    guard response.success, response.term == snapshot.sum else {
      throw BenchError("a snapshot arrived with other bytes than were sent")
    }
  }
}

/// A request that is sent over and over, with the checksum of its entries that must come back.
private struct SummedAppend: Sendable {
  let request: AppendEntriesRequest
  private let sum: UInt64

  init(_ batch: Workload.Batch, header: RPCHeader, leader: ByteBuffer) {
    let entries = (0..<batch.entries).map { number in
      let bytes = (0..<batch.entryBytes).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
      return LogEntry(index: 2 + UInt64(number), term: 1, data: ByteBuffer(bytes: bytes))
    }
    request = AppendEntriesRequest(
      header: header, term: 1, leader: leader, previousLogIndex: 1, previousLogTerm: 1, entries: entries,
      leaderCommitIndex: 1)
    self.sum = BenchServer.sum(of: self.request)
  }

  func check(_ response: AppendEntriesResponse) throws {
    guard response.success, response.lastLog == sum else {
      throw BenchError("entries arrived with other bytes than were sent")
    }
  }
}

/// A count that several tasks look at.
final class Tally: Sendable {
  private let count = Atomic(0)

  var value: Int { count.load(ordering: .relaxed) }

  func add(_ more: Int) {
    count.add(more, ordering: .relaxed)
  }
}
