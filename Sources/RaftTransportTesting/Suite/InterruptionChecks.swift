internal import NIOCore
internal import RaftTransport

extension TransportSuite {
  static var interruptionChecks: [Check] {
    [
      Check(
        "A call without an answer times out, delivery unknown, and its late answer harms nobody",
        needsImpatientPair: true
      ) {
        scene in
        for kind in CallKind.allCases where kind != .installSnapshot {
          async let outcome = scene.outcome {
            try await kind.perform(on: scene.caller, id: scene.id, target: scene.address)
          }
          let rpc = try await scene.next()
          try scene.error(
            await outcome, "\(kind.rawValue) without an answer", codes: [.timeout], delivery: [.unknown])
          rpc.answerWithSample()
        }
        try await withEchoConsumer(scene.callee) { _ in
          let response = try await scene.append(numbered(5))
          try scene.expect(response.lastLog, equals: 6, "the last log of the next call's answer")
        }
      },
      Check(
        "A pipelined request without an answer times out, delivery unknown", needsImpatientPair: true,
        if: \.hasPipelines
      ) {
        scene in
        let pipeline = try await scene.pipeline()
        async let sending = scene.outcome { _ = try await pipeline.appendEntries(numbered(1)) }
        let received = try await scene.nextAppend()
        let consumer = pipeline.consumer.makeAsyncIterator()
        guard let future = await consumer.next() else {
          throw Failure(expected: "the future of the request", actual: "the end of the pipeline's consumer")
        }
        try scene.error(
          await scene.outcome { try await future.response }, "the request", codes: [.timeout],
          delivery: [.unknown])
        _ = await sending
        await pipeline.close()
        received.responder.succeed(AppendEntriesResponse())
      },
      Check("A cancelled task ends its own call and no other") { scene in
        for kind in CallKind.allCases {
          let call = Task {
            await scene.outcome {
              try await kind.perform(on: scene.caller, id: scene.id, target: scene.address)
            }
          }
          let rpc = try await scene.next()
          async let other = scene.outcome { try await scene.append(numbered(3)) }
          let otherReceived = try await scene.nextAppend()
          call.cancel()
          try scene.error(
            await call.value, "\(kind.rawValue) in a cancelled task", codes: [.cancelled],
            delivery: [.unknown])
          otherReceived.responder.succeed(AppendEntriesResponse(term: 6))
          try scene.expect(
            scene.value(await other, "the other call").term, equals: 6, "the other answer's term")
          rpc.answerWithSample()
        }
        try await scene.proveAlive("after cancelled calls")
      },
      Check("A call in a task that was cancelled before fails with cancelled") { scene in
        for kind in CallKind.allCases {
          // A task that is added to a cancelled group is cancelled from its start.
          let outcome = await withTaskGroup(of: Result<RemoteError.Response, any Error>.self) { group in
            group.cancelAll()
            group.addTask {
              await scene.outcome {
                try await kind.perform(on: scene.caller, id: scene.id, target: scene.address)
              }
            }
            return await group.next() ?? .failure(CancellationError())
          }
          try scene.error(
            outcome, "\(kind.rawValue) in a cancelled task", codes: [.cancelled],
            delivery: [.notDelivered, .unknown])
        }
      },
      Check("Unanswered appends do not keep a vote out") { scene in
        let count = scene.options.unansweredAppends
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 1...UInt64(count) {
            group.addTask { _ = try await scene.append(numbered(number)) }
          }
          var unanswered: [Responder<AppendEntriesResponse>] = []
          while unanswered.count < min(count, 8) { unanswered.append(try await scene.nextAppend().responder) }
          for kind in [CallKind.requestVote, .requestPreVote, .timeoutNow] {
            async let outcome = scene.outcome {
              try await kind.perform(on: scene.caller, id: scene.id, target: scene.address)
            }
            var isAnswered = false
            while !isAnswered {
              let rpc = try await scene.next()
              if case .appendEntries(_, let responder) = rpc.command {
                unanswered.append(responder)
              } else {
                isAnswered = rpc.answerWithSample()
              }
            }
            try scene.expect(
              scene.value(await outcome, "\(kind.rawValue) among unanswered appends"),
              equals: kind.sampleResponse,
              "its answer")
          }
          var answered = 0
          while answered < count {
            let responder =
              unanswered.isEmpty ? try await scene.nextAppend().responder : unanswered.removeFirst()
            responder.succeed(AppendEntriesResponse(success: true))
            answered += 1
          }
          try await group.waitForAll()
        }
      },
    ]
  }
}
