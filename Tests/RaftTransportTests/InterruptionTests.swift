import NIOCore
import RaftTransport
import RaftTransportTesting
import Testing

@Suite("Calls that are interrupted", .timeLimit(.minutes(2)))
struct InterruptionTests {
  private func listen(
    _ id: ServerID, _ compression: CompressionMode = .automatic
  ) async throws -> MuxTransport {
    var configuration = TransportConfiguration(serverID: id, clusterID: "interruption")
    configuration.logger = .quiet
    configuration.compression = compression
    configuration.timeout = .seconds(60)
    return try await MuxTransport.listen(on: "127.0.0.1:0", configuration: configuration)
  }

  @Test(
    "R-SNAP-18: The body of a snapshot whose sender gave up throws, unless all of it was read",
    arguments: [200_000, 400_000], [CompressionMode.off, .on()])
  func abandonedBodyThrows(size: Int, compression: CompressionMode) async throws {
    let (caller, callee) = (try await listen("caller", compression), try await listen("callee", compression))
    let started = AsyncQueue<Void>()
    let mayGoOn = AsyncQueue<Never>()
    let outcome = AsyncQueue<Result<Int, any Error>>()
    // One task takes the snapshot and stops in the middle; the other one answers what comes meanwhile.
    let handler = Task {
      for await rpc in callee.consumer {
        guard case .installSnapshot(_, let body, let responder) = rpc.command else { continue }
        var count = 0
        do {
          let pieces = body.makeAsyncIterator()
          count += try await pieces.next()?.readableBytes ?? 0
          started.push(())
          _ = await mayGoOn.next()
          while let piece = try await pieces.next() { count += piece.readableBytes }
          outcome.push(.success(count))
        } catch {
          outcome.push(.failure(error))
        }
        responder.fail("too late")
        return
      }
    }
    var bytes = SeededGenerator(seed: 7)
    let data = ByteBuffer(bytes: (0..<size).map { _ in UInt8.random(in: 0...255, using: &bytes) })
    let call = Task {
      try await caller.installSnapshot(
        id: "callee", target: callee.localAddress, InstallSnapshotRequest(term: 1, size: Int64(size)),
        data: SnapshotSource(data))
    }
    _ = await started.next()
    call.cancel()
    await #expect(throws: TransportError.self) { try await call.value }
    // A round trip behind the end of the snapshot's stream: the callee knows of it now.
    try await withEchoConsumer(callee) { _ in
      _ = try await caller.requestVote(id: "callee", target: callee.localAddress, RequestVoteRequest(term: 1))
    }
    mayGoOn.finish()
    switch await outcome.next() {
    case .failure(let error as TransportError): #expect(error.code == .snapshotCut)
    // A chunk that was unpacked before the end came may have been the whole snapshot.
    case .success(let count) where compression != .off: #expect(count == size)
    case let other: Issue.record("the body ended as \(String(describing: other))")
    }
    handler.cancel()
    await caller.close()
    await callee.close()
  }

  @Test("R-DRN-7: Closing the streams lets a call come to its end whose request is still arriving")
  func drainKeepsRunningCall() async throws {
    let (caller, callee) = (try await listen("caller"), try await listen("callee"))
    try await withEchoConsumer(callee) { _ in
      _ = try await caller.requestVote(id: "callee", target: callee.localAddress, RequestVoteRequest(term: 1))
      let entry = LogEntry(index: 1, term: 1, type: .command, data: ByteBuffer(repeating: 1, count: 48 << 20))
      // On a machine that is busy elsewhere a call may come and go unseen; then it is the next one.
      var call: Task<AppendEntriesResponse, any Error>
      var isOver: Flag
      repeat {
        let flag = Flag()
        isOver = flag
        call = Task {
          defer { flag.raise() }
          return try await caller.appendEntries(
            id: "callee", target: callee.localAddress, AppendEntriesRequest(term: 1, entries: [entry]))
        }
        while await callee.statistics().connections.map(\.streams.append) != [1], !flag.isRaised {
          await Task.yield()
        }
      } while isOver.isRaised
      await callee.closeStreams()
      #expect(try await call.value.success)
      // The next call finds a connection, be it the old one's successor.
      _ = try await caller.requestVote(id: "callee", target: callee.localAddress, RequestVoteRequest(term: 2))
    }
    await caller.close()
    await callee.close()
  }

  @Test("Nothing of a pipeline is kept when it is over")
  func pipelineLeavesNothing() async throws {
    let (caller, callee) = (try await listen("caller"), try await listen("callee"))
    weak var leftover: AppendFuture?
    try await withEchoConsumer(callee) { _ in
      let pipeline = try await caller.appendEntriesPipeline(id: "callee", target: callee.localAddress)
      let future = try await pipeline.appendEntries(AppendEntriesRequest(term: 1))
      _ = try await future.response
      leftover = future
      await pipeline.close()
    }
    await caller.close()
    await callee.close()
    // The event loop lets go in its own time.
    for _ in 0..<100_000 where leftover != nil { await Task.yield() }
    #expect(leftover == nil)
  }
}
