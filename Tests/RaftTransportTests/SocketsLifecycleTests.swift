import Logging
import NIOCore
import RaftTransport
import RaftTransportTesting
import ServiceLifecycle
import Testing

@Suite("Sockets: lifecycle", .serialized, .timeLimit(.minutes(5)))
struct SocketsLifecycleTests {
  @Test("Starting and closing leaves nothing behind", .enabled(if: SystemSockets.isAvailable))
  func startStop() async throws {
    let transport = try await listen("a")
    let ports: Set = [transport.port]
    #expect(!transport.isShutdown)
    #expect(SystemSockets().descriptorCount(ofPorts: ports) == 1)
    await transport.close()
    #expect(transport.isShutdown)
    #expect(SystemSockets().descriptorCount(ofPorts: ports) == 0)
  }

  @Test(
    "When close returns, no descriptor and no connection is left", .enabled(if: SystemSockets.isAvailable))
  func noDescriptorsLeft() async throws {
    let one = try await listen("a")
    let other = try await listen("b")
    let third = try await listen("c")
    let ports: Set = [one.port, other.port, third.port]
    let echoes = [one, other, third].map { EchoConsumer($0) }
    try await one.proveCall(to: other, as: "b")
    try await third.proveCall(to: one, as: "a")
    try await other.proveCall(to: third, as: "c")
    #expect(SystemSockets().descriptorCount(ofPorts: ports) == 9)
    for transport in [one, other, third] { await transport.close() }
    #expect(SystemSockets().descriptorCount(ofPorts: ports) == 0)
    #expect(SystemSockets().connectionCount(ofPorts: ports) == 0)
    for echo in echoes { await echo.stop() }
  }

  /// The calls that a test has under way, by name.
  private static let calls: [(String, @Sendable (MuxTransport, MuxTransport) async throws -> Void)] = [
    ("append", { _ = try await $0.appendEntries(id: "b", target: $1.localAddress, numbered(1)) }),
    ("vote", { _ = try await $0.requestVote(id: "b", target: $1.localAddress, RequestVoteRequest(term: 1)) }),
    (
      "pre-vote",
      { _ = try await $0.requestPreVote(id: "b", target: $1.localAddress, RequestPreVoteRequest(term: 1)) }
    ),
    ("timeout now", { _ = try await $0.timeoutNow(id: "b", target: $1.localAddress, TimeoutNowRequest()) }),
    (
      "snapshot",
      {
        _ = try await $0.installSnapshot(
          id: "b", target: $1.localAddress, InstallSnapshotRequest(size: 5_000_000),
          data: SnapshotSource(ByteBuffer(repeating: 7, count: 5_000_000)))
      }
    ),
    (
      "pipeline",
      { caller, callee in
        let pipeline = try await caller.appendEntriesPipeline(id: "b", target: callee.localAddress)
        _ = try await pipeline.appendEntries(numbered(1)).response
      }
    ),
  ]

  @Test("Each call under way ends when either side closes", arguments: ["a", "b"])
  func callsUnderWay(closer: String) async throws {
    let caller = try await listen("a")
    let callee = try await listen("b")
    await withTaskGroup(of: Void.self) { group in
      for (name, call) in Self.calls {
        group.addTask {
          do {
            try await call(caller, callee)
            Issue.record("\(name) succeeded")
          } catch let error as TransportError {
            #expect(error.delivery == .unknown, "\(name): \(error)")
            if closer == "a" {
              #expect([.shutdown, .pipelineClosed].contains(error.code), "\(name): \(error)")
            } else {
              #expect([.connectionLost, .streamReset].contains(error.code), "\(name): \(error)")
            }
          } catch {
            Issue.record("\(name): another kind of error: \(error)")
          }
        }
      }
      var received: [IncomingRPC] = []
      let consumer = callee.consumer.makeAsyncIterator()
      while received.count < Self.calls.count, let rpc = await consumer.next() { received.append(rpc) }
      await (closer == "a" ? caller : callee).close()
      await group.waitForAll()
      // Late answers meet a connection that has gone.
      for rpc in received { #expect(rpc.fail("too late")) }
    }
    for transport in [caller, callee] { await transport.close() }
  }

  @Test("Answers after close harm nobody, whichever side closed")
  func answersAfterClose() async throws {
    let caller = try await listen("a")
    let callee = try await listen("b")
    let third = try await listen("c")
    let echo = EchoConsumer(third)
    try await closing(third) {
      let call = Task { try await caller.appendEntries(id: "b", target: callee.localAddress, numbered(1)) }
      let received = try await callee.nextAppend()
      await callee.close()
      await caller.close()
      #expect(received.responder.succeed(AppendEntriesResponse()))
      #expect(!received.responder.succeed(AppendEntriesResponse()))
      _ = await call.result
      let other = try await listen("d")
      try await closing(other) { try await other.proveCall(to: third, as: "c") }
    }
    await echo.stop()
  }

  @Test("Closing from many tasks at once: all wait until it is done", .enabled(if: SystemSockets.isAvailable))
  func concurrentClose() async throws {
    for _ in 1...10 {
      let one = try await listen("a")
      let other = try await listen("b")
      let echo = EchoConsumer(other)
      try await one.proveCall(to: other, as: "b")
      let before = SystemSockets().descriptors(ofPorts: [one.port, other.port])
      #expect(before.count == 4)
      await withTaskGroup(of: Void.self) { group in
        for _ in 1...8 {
          group.addTask {
            await one.close()
            let left = SystemSockets().descriptors(ofPorts: [one.port]).intersection(before)
            #expect(left.count <= 1, "its own sockets are closed")
          }
          group.addTask { await other.close() }
        }
        await group.waitForAll()
      }
      #expect(one.isShutdown && other.isShutdown)
      let left = SystemSockets().descriptors(ofPorts: [one.port, other.port]).intersection(before)
      #expect(left.isEmpty)
      await echo.stop()
    }
  }

  @Test("Closing while a connection is being made ends the call with shutdown, undelivered")
  func closingWhileDialling() async throws {
    let caller = try await listen("a")
    let callee = try await listen("b")
    let link = try await FaultyLink.start(to: callee.localAddress)
    for direction in FaultyLink.Direction.allCases { try await link.stall(direction) }
    async let outcome = failure("a call whose connection never stood") {
      try await caller.proveCall(to: "b", at: link.address)
    }
    try await eventually("the handshake hangs") { try await link.figures().connectionsAccepted == 1 }
    await caller.close()
    let error = try await outcome
    #expect(error.code == .shutdown, "\(error)")
    #expect(error.delivery == .notDelivered)
    await link.close()
    await callee.close()
  }

  @Test("Closing while many calls from both sides are dialling ends all of them")
  func closingUnderLoad() async throws {
    for round in 1...8 as ClosedRange<UInt64> {
      let one = try await listen("a")
      let other = try await listen("b")
      let echoes = [EchoConsumer(one), EchoConsumer(other)]
      await withTaskGroup(of: Void.self) { group in
        for number in 1...40 as ClosedRange<UInt64> {
          group.addTask { try? await one.proveCall(to: other, as: "b", number: number) }
          group.addTask { try? await other.proveCall(to: one, as: "a", number: number) }
        }
        // Every time a little later.
        for _ in 0..<round * 4 { await Task.yield() }
        await one.close()
        await other.close()
        await group.waitForAll()
      }
      if SystemSockets.isAvailable {
        #expect(SystemSockets().descriptorCount(ofPorts: [one.port, other.port]) == 0)
      }
      for echo in echoes { await echo.stop() }
    }
  }

  @Test("Statistics of a closed transport are empty")
  func statisticsAfterClose() async throws {
    let one = try await listen("a")
    let other = try await listen("b")
    let echo = EchoConsumer(other)
    try await one.proveCall(to: other, as: "b")
    await one.close()
    #expect(await one.statistics().connections.isEmpty)
    await one.closeStreams()
    await other.close()
    await echo.stop()
  }

  // MARK: As a service

  @Test("A service group runs a transport and shuts it down gracefully: calls under way come to their end")
  func gracefulShutdown() async throws {
    let caller = try await listen("a")
    let callee = try await listen("b")
    let group = ServiceGroup(
      configuration: .init(services: [.init(service: callee)], logger: .quiet))
    let running = Task { try await group.run() }
    let call = Task { try await caller.appendEntries(id: "b", target: callee.localAddress, numbered(4)) }
    let received = try await callee.nextAppend()
    await group.triggerGracefulShutdown()
    try await eventually("the callee drains") { await callee.statistics().connections.isEmpty }
    #expect(!callee.isShutdown, "it waits for the call under way")
    received.responder.succeed(EchoConsumer.response(to: received.request))
    #expect(try await call.value.lastLog == 5)
    try await running.value
    #expect(callee.isShutdown)
    await caller.close()
    if SystemSockets.isAvailable {
      #expect(SystemSockets().descriptorCount(ofPorts: [caller.port, callee.port]) == 0)
    }
  }

  @Test("A service group whose task is cancelled closes the transport at once")
  func cancelledRun() async throws {
    let caller = try await listen("a")
    let callee = try await listen("b")
    let running = Task { try await callee.run() }
    async let error = failure("a call whose callee was cancelled") {
      try await caller.appendEntries(id: "b", target: callee.localAddress, numbered(4))
    }
    let received = try await callee.nextAppend()
    running.cancel()
    try await running.value
    #expect(callee.isShutdown)
    #expect(try await error.delivery == .unknown)
    received.responder.fail("too late")
    await caller.close()
    if SystemSockets.isAvailable {
      #expect(SystemSockets().descriptorCount(ofPorts: [caller.port, callee.port]) == 0)
    }
  }

  @Test("A running transport that is closed ends its run")
  func closedRun() async throws {
    let transport = try await listen("a")
    let running = Task { try await transport.run() }
    await transport.close()
    try await running.value
    // And one that was closed before does not begin.
    try await transport.run()
  }

  @Test("The consumers of all tasks end with the transport, and what waits in them is dropped")
  func consumersEnd() async throws {
    let caller = try await listen("a")
    let callee = try await listen("b")
    let call = Task { try await caller.appendEntries(id: "b", target: callee.localAddress, numbered(1)) }
    try await eventually("the request is there") {
      await callee.statistics().connections.first?.streams.append == 1
    }
    let waiters = (1...3).map { _ in
      Task { () -> Int in
        var count = 0
        for await rpc in callee.consumer {
          rpc.fail("counted")
          count += 1
        }
        return count
      }
    }
    _ = await call.result
    await callee.close()
    var total = 0
    for waiter in waiters { total += await waiter.value }
    #expect(total == 1)
    #expect(await callee.consumer.makeAsyncIterator().next() == nil)
    await caller.close()
  }
}
