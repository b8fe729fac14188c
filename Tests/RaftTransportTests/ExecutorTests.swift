import NIOCore
import NIOPosix
import RaftTransport
import Synchronization
import Testing

/// Tasks on the transport's own event loop.
@Suite struct ExecutorTests {
  private func transport(_ id: ServerID, on group: any EventLoopGroup) async throws -> MuxTransport {
    try await MuxTransport.listen(
      on: "127.0.0.1:0",
      configuration: TransportConfiguration(serverID: id, clusterID: "c", eventLoopGroup: group))
  }

  @Test("callers and consumer on the executor serve each other on one thread")
  func callersAndConsumer() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let (caller, callee) = (try await transport("a", on: group), try await transport("b", on: group))
    let serving = Task(executorPreference: callee.executor) {
      var handled = 0
      for await rpc in callee.consumer {
        #expect(MultiThreadedEventLoopGroup.currentEventLoop != nil)
        if case .requestVote(let request, let responder) = rpc.command {
          responder.succeed(RequestVoteResponse(term: request.term, granted: true))
          handled += 1
        }
      }
      return handled
    }
    try await withTaskExecutorPreference(caller.executor) {
      // Far more than the jobs of one turn.
      try await withThrowingTaskGroup(of: UInt64.self) { calls in
        for term in 1...50 as ClosedRange<UInt64> {
          calls.addTask {
            var sum: UInt64 = 0
            for _ in 0..<20 {
              let vote = try await caller.requestVote(
                id: "b", target: callee.localAddress,
                RequestVoteRequest(term: term, lastLogIndex: 1, lastLogTerm: 1))
              #expect(MultiThreadedEventLoopGroup.currentEventLoop != nil)
              sum += vote.term
            }
            return sum
          }
        }
        let sum = try await calls.reduce(0, +)
        #expect(sum == 20 * 50 * 51 / 2)
      }
    }
    await caller.close()
    await callee.close()
    #expect(await serving.value == 1_000)
    try await group.shutdownGracefully()
  }

  @Test("tasks that keep each other busy do not keep the sockets waiting")
  func busyTasksLeaveRoom() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let (caller, callee) = (try await transport("a", on: group), try await transport("b", on: group))
    let isDone = Atomic(false)
    let busy = Task(executorPreference: caller.executor) {
      while !isDone.load(ordering: .relaxed) { await Task.yield() }
    }
    let serving = Task(executorPreference: callee.executor) {
      for await rpc in callee.consumer { rpc.fail("no") }
    }
    await #expect(throws: TransportError.self) {
      try await caller.timeoutNow(id: "b", target: callee.localAddress, TimeoutNowRequest())
    }
    isDone.store(true, ordering: .relaxed)
    await busy.value
    await caller.close()
    await callee.close()
    await serving.value
    try await group.shutdownGracefully()
  }
}
