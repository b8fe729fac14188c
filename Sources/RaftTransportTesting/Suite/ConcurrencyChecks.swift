internal import RaftTransport

extension TransportSuite {
  static var concurrencyChecks: [Check] {
    [
      Check("Many calls at once get their own answers each, whatever the order of the answers") { scene in
        let count = scene.options.concurrentCalls
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 1...UInt64(count) { group.addTask { try await scene.callNumbered(number) } }
          group.addTask { try await scene.answerInReversedFours(count) }
          try await group.waitForAll()
        }
      },
      Check("Tasks that iterate the consumer at once get every RPC exactly once") { scene in
        let count = scene.options.concurrentCalls
        let seen = try await withThrowingTaskGroup(of: [UInt64].self) { group in
          for _ in 1...3 {
            group.addTask {
              var seen: [UInt64] = []
              for await rpc in scene.callee.consumer {
                guard case .requestVote(let request, let responder) = rpc.command else { continue }
                seen.append(request.term)
                responder.succeed(RequestVoteResponse(term: request.term))
              }
              return seen
            }
          }
          try await withThrowingTaskGroup(of: Void.self) { callers in
            for number in 1...UInt64(count) {
              callers.addTask { _ = try await scene.vote(RequestVoteRequest(term: number)) }
            }
            try await callers.waitForAll()
          }
          await scene.callee.close()
          return try await group.reduce(into: []) { $0 += $1 }
        }
        try scene.expect(seen.sorted(), equals: Array(1...UInt64(count)), "the RPCs that the tasks have seen")
      },
      Check("Calls go both ways at once", if: \.connectsBothWays) { scene in
        try await withEchoConsumer(scene.callee) { _ in
          try await withEchoConsumer(scene.caller) { _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
              for number in 1...UInt64(scene.options.concurrentCalls) {
                group.addTask {
                  let response = try await scene.append(numbered(number))
                  try scene.expect(response.lastLog, equals: number + 1, "the answer on the way out")
                }
                group.addTask {
                  let response = try await scene.callee.appendEntries(
                    id: "", target: scene.caller.localAddress, numbered(number))
                  try scene.expect(response.lastLog, equals: number + 1, "the answer on the way back")
                }
              }
              try await group.waitForAll()
            }
          }
        }
      },
      Check("Votes, appends, snapshots and a pipeline run side by side") { scene in
        try await withEchoConsumer(scene.callee) { consumer in
          try await withThrowingTaskGroup(of: Void.self) { group in
            for size in [100_000, 1_500_000] {
              group.addTask {
                let request = InstallSnapshotRequest(term: 3, size: Int64(size))
                let response = try await scene.snapshot(request, SnapshotSource(SnapshotPattern.bytes(size)))
                try scene.expect(response.term, equals: 3, "the term of a snapshot's answer")
              }
            }
            for number in 1...100 as ClosedRange<UInt64> {
              group.addTask {
                let vote = try await scene.vote(RequestVoteRequest(term: number))
                try scene.expect(vote.term, equals: number, "the term of a vote")
                let preVote = try await scene.preVote(RequestPreVoteRequest(term: number))
                try scene.expect(preVote.term, equals: number, "the term of a pre-vote")
                let append = try await scene.append(numbered(number))
                try scene.expect(append.lastLog, equals: number + 1, "the last log of an append")
              }
            }
            try await group.waitForAll()
          }
          try scene.expect(consumer.counts.snapshotBytes, equals: 1_600_000, "the bytes of both snapshots")
        }
      },
    ]
  }
}

extension TransportSuite.Scene {
  /// One of three kinds of calls, which all carry their number in the term.
  fileprivate func callNumbered(_ number: UInt64) async throws {
    let term: UInt64
    switch number % 3 {
    case 0: term = try await self.append(AppendEntriesRequest(term: number, previousLogIndex: 1)).term
    case 1: term = try await self.vote(RequestVoteRequest(term: number)).term
    default: term = try await self.preVote(RequestPreVoteRequest(term: number)).term
    }
    try self.expect(term, equals: number * 7 + 1, "the term of the answer to call \(number)")
  }

  /// Takes four RPCs, answers them from the last to the first, and so on.
  fileprivate func answerInReversedFours(_ count: Int) async throws {
    var taken: [IncomingRPC] = []
    for _ in 1...count {
      taken.append(try await self.next())
      guard taken.count == 4 else { continue }
      while let rpc = taken.popLast() {
        switch rpc.command {
        case .appendEntries(let request, let responder):
          responder.succeed(AppendEntriesResponse(term: request.term * 7 + 1))
        case .requestVote(let request, let responder):
          responder.succeed(RequestVoteResponse(term: request.term * 7 + 1))
        case .requestPreVote(let request, let responder):
          responder.succeed(RequestPreVoteResponse(term: request.term * 7 + 1))
        case .installSnapshot, .timeoutNow:
          throw Self.unexpected(rpc, insteadOf: "an append or a vote")
        }
      }
    }
  }
}
