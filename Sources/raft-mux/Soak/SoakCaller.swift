import NIOCore
import RaftTransport
import Synchronization

/// Calls one node from another until it is told to stop: pipelines, single calls and snapshots, side by side.
struct SoakCaller: Sendable {
  let from: SoakNode
  let to: SoakNode
  let ledger: SoakLedger
  let stop: SoakStop

  func run(seed: UInt64, stream: UInt64) async {
    await withTaskGroup { group in
      group.addTask { await repeatedly(seed, stream * 4) { await sendPipeline(&$0) } }
      group.addTask { await repeatedly(seed, stream * 4 + 1) { await callOnce(&$0) } }
      group.addTask { await repeatedly(seed, stream * 4 + 2) { await sendSnapshot(&$0) } }
    }
  }

  private func repeatedly(_ seed: UInt64, _ stream: UInt64, _ work: (inout SoakChoices) async -> Bool) async {
    var choices = SoakChoices(seed: seed, stream: stream)
    while !stop.isSet {
      // A peer that is down fails each call at once: consensus code waits a little before it tries again.
      if await !work(&choices) { try? await Task.sleep(for: choices.milliseconds(5...50)) }
    }
  }

  // MARK: Pipelines

  private func sendPipeline(_ choices: inout SoakChoices) async -> Bool {
    let pipeline: any AppendPipeline
    do {
      pipeline = try await from.transport.appendEntriesPipeline(id: to.id, target: to.address)
    } catch {
      return false
    }
    ledger.notePipeline()
    let count = Int.random(in: 1...100, using: &choices)
    let closesEarly = choices.once(in: 5)
    // Futures have to be taken, or the pipeline is held back.
    let taking = Task { for await _ in pipeline.consumer {} }
    var sent: [(number: UInt64, future: AppendFuture)] = []
    for _ in 0..<count {
      let number = ledger.begin()
      do {
        sent.append((number, try await pipeline.appendEntries(SoakRequests.append(number))))
      } catch {
        ledger.failed(number, error)
        break
      }
    }
    if closesEarly { await pipeline.close() }
    var isWhole = true
    for (number, future) in sent {
      do {
        ledger.answered(number, by: try await future.response.header)
      } catch {
        ledger.failed(number, error)
        isWhole = false
      }
    }
    await pipeline.close()
    await taking.value
    return isWhole
  }

  // MARK: Single calls

  private func callOnce(_ choices: inout SoakChoices) async -> Bool {
    let number = ledger.begin()
    let kind = Int.random(in: 0..<8, using: &choices)
    let transport = await from.transport
    let call = Task { () async throws -> RPCHeader in
      switch kind {
      case 0: try await transport.requestVote(id: to.id, target: to.address, SoakRequests.vote(number)).header
      case 1:
        try await transport.requestPreVote(id: to.id, target: to.address, SoakRequests.preVote(number)).header
      case 2:
        try await transport.timeoutNow(id: to.id, target: to.address, SoakRequests.timeoutNow(number)).header
      case 3:
        try await transport.appendEntries(id: to.id, target: to.address, SoakRequests.heartbeat(number))
          .header
      default:
        try await transport.appendEntries(id: to.id, target: to.address, SoakRequests.append(number)).header
      }
    }
    // Some are given up by their callers.
    if choices.once(in: 20) {
      try? await Task.sleep(for: choices.milliseconds(0...3))
      call.cancel()
    }
    return await settle(number, call)
  }

  private func settle(_ number: UInt64, _ call: Task<RPCHeader, any Error>) async -> Bool {
    do {
      ledger.answered(number, by: try await call.value)
      return true
    } catch {
      ledger.failed(number, error)
      return false
    }
  }

  // MARK: Snapshots

  private func sendSnapshot(_ choices: inout SoakChoices) async -> Bool {
    let number = ledger.begin()
    let request = SoakRequests.snapshot(number)
    let transport = await from.transport
    let call = Task {
      try await transport.installSnapshot(
        id: to.id, target: to.address, request,
        data: SnapshotSource(SoakSnapshot(number: number, size: request.size))
      ).header
    }
    if choices.once(in: 10) {
      try? await Task.sleep(for: choices.milliseconds(0...30))
      call.cancel()
    }
    let isGood = await settle(number, call)
    try? await Task.sleep(for: choices.milliseconds(0...300))
    return isGood
  }
}

/// The bytes of a snapshot in pieces of 64 KiB.
struct SoakSnapshot: AsyncSequence, Sendable {
  typealias Element = ByteBuffer

  let number: UInt64
  let size: Int64

  func makeAsyncIterator() -> Iterator { Iterator(number: number, size: size) }

  struct Iterator: AsyncIteratorProtocol {
    let number: UInt64
    let size: Int64
    var offset: Int64 = 0

    mutating func next() async -> ByteBuffer? {
      guard offset < size else { return nil }
      let count = Int(Swift.min(size - offset, 65_536))
      defer { offset += Int64(count) }
      return SoakBytes.piece(of: number, at: UInt64(offset), count: count)
    }
  }
}

/// Tells the workers of a round to come to an end.
final class SoakStop: Sendable {
  private let flag = Atomic(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }

  func set() { flag.store(true, ordering: .relaxed) }
}
