import NIOCore
import RaftTransport
import Synchronization

/// The workloads, through nothing but the transport's public interface.
struct MuxCalls: Sendable {
  let transport: any Transport
  let target: ServerAddress
  private let peer = BenchServer.serverID
  private let header = RPCHeader(
    protocolVersion: 3, id: ByteBuffer(string: "client"), address: ByteBuffer(string: "127.0.0.1:8300"))
  private let leader = ByteBuffer(string: "127.0.0.1:8300")

  init(transport: any Transport, target: ServerAddress) {
    self.transport = transport
    self.target = target
  }

  // MARK: AppendEntries

  /// Calls of several callers at once.
  func unary(callers: Int, _ batch: Workload.Batch, _ duration: Duration) async throws -> Sample {
    let append = self.append(batch)
    let watch = Stopwatch(duration)
    let count = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<callers {
        group.addTask {
          var count = 0
          while watch.isRunning {
            let response = try await self.transport.appendEntries(
              id: self.peer, target: self.target, append.request)
            try append.check(response)
            count += 1
          }
          return count
        }
      }
      return try await group.reduce(0, +)
    }
    return Sample(operations: count, payloadBytes: count * batch.byteCount, seconds: watch.seconds)
  }

  /// Requests through one pipeline, as many as it takes.
  func pipeline(_ batch: Workload.Batch, _ duration: Duration) async throws -> Sample {
    let watch = Stopwatch(duration)
    let count = Tally()
    try await self.pipeline(batch, counting: count) { watch.isRunning }
    return Sample(
      operations: count.value, payloadBytes: count.value * batch.byteCount, seconds: watch.seconds)
  }

  private func pipeline(
    _ batch: Workload.Batch, counting answers: Tally, while goesOn: @escaping @Sendable () -> Bool
  ) async throws {
    let append = self.append(batch)
    try await self.transport.withAppendPipeline(id: self.peer, target: self.target) { pipeline in
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
    while goesOn(), !Task.isCancelled { last = try await pipeline.appendEntries(request) }
    _ = try await last?.response
    await pipeline.close()
  }

  private func append(_ batch: Workload.Batch) -> SummedAppend {
    SummedAppend(batch, header: self.header, leader: self.leader)
  }

  // MARK: Snapshots

  /// Whole snapshots, one after the other; one at least.
  func snapshots(_ snapshot: OutgoingSnapshot, _ duration: Duration) async throws -> Sample {
    let watch = Stopwatch(duration)
    var count = 0
    repeat {
      try await self.send(snapshot, snapshot.source())
      count += 1
    } while watch.isRunning
    return Sample(operations: count, payloadBytes: count * snapshot.size, seconds: watch.seconds)
  }

  private func send(_ snapshot: OutgoingSnapshot, _ source: SnapshotSource) async throws {
    let request = InstallSnapshotRequest(
      header: self.header, snapshotVersion: 1, term: 1, leader: self.leader, lastLogIndex: 1, lastLogTerm: 1,
      size: Int64(snapshot.size))
    let response = try await self.transport.installSnapshot(
      id: self.peer, target: self.target, request, data: source)
    guard response.success, response.term == snapshot.sum else {
      throw BenchError("a snapshot arrived with other bytes than were sent")
    }
  }

  // MARK: Latencies

  /// Small calls, one after the other.
  func latency(_ question: Workload.Question, _ duration: Duration) async throws -> Sample {
    let watch = Stopwatch(duration)
    var recorder = LatencyRecorder()
    while watch.isRunning {
      let start = ContinuousClock.now
      try await self.ask(question)
      recorder.record(ContinuousClock.now - start)
    }
    return Sample(
      operations: recorder.count, payloadBytes: 0, seconds: watch.seconds, latency: recorder.latency)
  }

  /// The same beside a pipeline and snapshots that take all they can get.
  func latency(
    _ question: Workload.Question, beside load: OutgoingSnapshot, _ duration: Duration
  ) async throws -> Sample {
    let answers = Tally()
    let snapshotBytes = Tally()
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await self.pipeline(Workload.loadBatch, counting: answers) { !Task.isCancelled }
      }
      group.addTask {
        while !Task.isCancelled { try await self.send(load, load.source(counting: snapshotBytes)) }
      }
      // The load is there when both have come a little way; these calls are part of no figure.
      while answers.value < 1_000 || snapshotBytes.value < 4 << 20 { try await self.ask(question) }
      let before = (answers: answers.value, bytes: snapshotBytes.value)
      var sample = try await self.latency(question, duration)
      sample.load = Sample.Load(
        requestsPerSecond: Double(answers.value - before.answers) / sample.seconds,
        snapshotBytesPerSecond: Double(snapshotBytes.value - before.bytes) / sample.seconds)
      group.cancelAll()
      // What the load's end throws is our own cancellation.
      while await group.nextResult() != nil {}
      return sample
    }
  }

  private func ask(_ question: Workload.Question) async throws {
    switch question {
    case .vote:
      let request = RequestVoteRequest(
        header: self.header, term: 2, candidate: self.leader, lastLogIndex: 1, lastLogTerm: 1)
      let response = try await self.transport.requestVote(id: self.peer, target: self.target, request)
      guard response.granted else { throw BenchError("a vote was not granted") }
    case .heartbeat:
      let request = AppendEntriesRequest(header: self.header, term: 2, leader: self.leader)
      let response = try await self.transport.appendEntries(id: self.peer, target: self.target, request)
      guard response.success else { throw BenchError("a heartbeat was not accepted") }
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
    self.request = AppendEntriesRequest(
      header: header, term: 1, leader: leader, previousLogIndex: 1, previousLogTerm: 1, entries: entries,
      leaderCommitIndex: 1)
    self.sum = BenchServer.sum(of: self.request)
  }

  func check(_ response: AppendEntriesResponse) throws {
    guard response.success, response.lastLog == self.sum else {
      throw BenchError("entries arrived with other bytes than were sent")
    }
  }
}

/// A count that several tasks look at.
final class Tally: Sendable {
  private let count = Atomic(0)

  var value: Int { self.count.load(ordering: .relaxed) }

  func add(_ more: Int) {
    self.count.add(more, ordering: .relaxed)
  }
}
