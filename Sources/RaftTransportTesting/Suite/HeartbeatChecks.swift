internal import NIOCore
internal import RaftTransport

extension TransportSuite {
  private static let heartbeat = AppendEntriesRequest(header: sampleHeader, term: 10)

  static var heartbeatChecks: [Check] {
    [
      Check(
        "The handler gets heartbeats, and a blocked consumer does not hold them back",
        if: \.honoursHeartbeatHandler
      ) {
        scene in
        scene.callee.setHeartbeatHandler { rpc in rpc.answerWithSample() }
        try await withThrowingTaskGroup(of: Void.self) { group in
          for index in 1...8 as ClosedRange<UInt64> {
            group.addTask {
              _ = try await scene.append(AppendEntriesRequest(term: 1, previousLogIndex: index))
            }
          }
          // One append is taken and keeps its handler busy; nobody takes the others.
          let busy = try await scene.nextAppend()
          for round in 1...20 {
            let outcome = await scene.outcome { try await scene.append(Self.heartbeat) }
            let response = try scene.value(outcome, "heartbeat \(round)")
            try scene.expect(response.lastLog, equals: 90, "the last log of the heartbeat handler's answer")
          }
          busy.responder.succeed(AppendEntriesResponse())
          for _ in 2...8 { try await scene.nextAppend().responder.succeed(AppendEntriesResponse()) }
          try await group.waitForAll()
        }
      },
      Check("A heartbeat arrives at the handler with its values", if: \.honoursHeartbeatHandler) { scene in
        let (heartbeats, continuation) = AsyncStream.makeStream(of: IncomingRPC.self)
        scene.callee.setHeartbeatHandler { continuation.yield($0) }
        async let outcome = scene.outcome { try await scene.append(Self.heartbeat) }
        // The answer comes later, and from another task than the handler's.
        guard let rpc = await heartbeats.first(where: { _ in true }),
          case .appendEntries(let request, _) = rpc.command
        else { throw Failure(expected: "a heartbeat at the handler", actual: "none") }
        try scene.expect(request, equals: Self.heartbeat, "the heartbeat at the handler")
        rpc.answerWithSample()
        _ = try scene.value(await outcome, "the heartbeat")
      },
      Check("What only resembles a heartbeat goes to the consumer") { scene in
        scene.callee.setHeartbeatHandler { $0.fail("this is no heartbeat") }
        var noTerm = Self.heartbeat
        noTerm.term = 0
        var noLeader = Self.heartbeat
        noLeader.header.address = nil
        var withIndex = Self.heartbeat
        withIndex.previousLogIndex = 1
        var withTerm = Self.heartbeat
        withTerm.previousLogTerm = 1
        var withCommit = Self.heartbeat
        withCommit.leaderCommitIndex = 1
        var withEntries = Self.heartbeat
        withEntries.entries = [LogEntry(index: 1)]
        for request in [noTerm, noLeader, withIndex, withTerm, withCommit, withEntries] {
          async let outcome = scene.outcome { try await scene.append(request) }
          let received = try await scene.nextAppend()
          try scene.expect(received.request, equals: request, "the request at the consumer")
          received.responder.succeed(AppendEntriesResponse(success: true))
          _ = try scene.value(await outcome, "an append that resembles a heartbeat")
        }
      },
      Check("Without a handler, and after it was removed, heartbeats go to the consumer") { scene in
        for round in ["before there was a handler", "after it was removed"] {
          async let outcome = scene.outcome { try await scene.append(Self.heartbeat) }
          let received = try await scene.nextAppend()
          try scene.expect(received.request, equals: Self.heartbeat, "the heartbeat \(round)")
          received.responder.succeed(AppendEntriesResponse())
          _ = try scene.value(await outcome, "a heartbeat \(round)")
          scene.callee.setHeartbeatHandler { $0.fail("the handler should have gone") }
          scene.callee.setHeartbeatHandler(nil)
        }
      },
      Check("A heartbeat handler that drops its RPC answers an error", if: \.honoursHeartbeatHandler) {
        scene in
        scene.callee.setHeartbeatHandler { _ in }
        let outcome = await scene.outcome { try await scene.append(Self.heartbeat) }
        try scene.error(outcome, "a dropped heartbeat", codes: [.remote], delivery: [.answered])
      },
    ]
  }
}
