internal import RaftTransport

extension TransportSuite {
  /// A request by whose values the answer can be told.
  static func numbered(_ number: UInt64) -> AppendEntriesRequest {
    AppendEntriesRequest(
      term: 5, previousLogIndex: number, previousLogTerm: 4,
      entries: [LogEntry(index: number + 1, term: 5)], leaderCommitIndex: 1)
  }

  static var pipelineChecks: [Check] {
    [
      Check("A pipeline refuses to open where pipelining is switched off", if: \.lacksPipelines) {
        scene in
        let outcome = await scene.outcome { _ = try await scene.pipeline() }
        try scene.error(outcome, "a pipeline", codes: [.pipelineUnsupported], delivery: [.notDelivered])
      },
      Check("As many requests as fit are sent before an answer is read", if: \.hasPipelines) {
        scene in
        let count = min(UInt64(scene.options.pipelineDepth) - 1, 10)
        try await withEchoConsumer(scene.callee) { _ in
          let pipeline = try await scene.pipeline()
          var sent: [AppendFuture] = []
          for number in 1...count {
            sent.append(try await pipeline.appendEntries(TransportSuite.numbered(number)))
          }
          let consumer = pipeline.consumer.makeAsyncIterator()
          for (index, future) in sent.enumerated() {
            let taken = await consumer.next()
            try scene.expect(
              taken === future, "future \(index + 1) from the consumer in its turn",
              found: "that of \(taken?.request.previousLogIndex ?? 0)")
            let response = try await future.response
            try scene.expect(response, equals: EchoConsumer.response(to: future.request), "its answer")
          }
          await pipeline.close()
        }
      },
      Check("A long pipeline keeps the order of requests and answers", if: \.hasPipelines) {
        scene in
        let count: UInt64 = 300
        try await scene.caller.withAppendPipeline(id: scene.id, target: scene.address) { pipeline in
          try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
              for number in 1...count {
                _ = try await pipeline.appendEntries(TransportSuite.numbered(number))
              }
            }
            group.addTask {
              for number in 1...count {
                let received = try await scene.nextAppend()
                try scene.expect(
                  received.request, equals: TransportSuite.numbered(number), "request \(number)")
                received.responder.succeed(EchoConsumer.response(to: received.request))
              }
            }
            group.addTask {
              let consumer = pipeline.consumer.makeAsyncIterator()
              for number in 1...count {
                guard let future = await consumer.next() else {
                  throw Failure(expected: "future \(number)", actual: "the end of the pipeline's consumer")
                }
                try scene.expect(future.request, equals: TransportSuite.numbered(number), "future \(number)")
                let response = try await future.response
                try scene.expect(
                  response, equals: EchoConsumer.response(to: future.request), "answer \(number)")
              }
            }
            try await group.waitForAll()
          }
        }
      },
      Check(
        "Answers that are given out of order come in the order of the requests",
        if: \.deliversAhead
      ) { scene in
        try await scene.caller.withAppendPipeline(id: scene.id, target: scene.address) { pipeline in
          async let sending: Void = {
            for number in 1...2 as ClosedRange<UInt64> {
              _ = try await pipeline.appendEntries(TransportSuite.numbered(number))
            }
          }()
          let first = try await scene.nextAppend()
          let second = try await scene.nextAppend()
          second.responder.succeed(EchoConsumer.response(to: second.request))
          first.responder.succeed(EchoConsumer.response(to: first.request))
          let consumer = pipeline.consumer.makeAsyncIterator()
          for number in 1...2 as ClosedRange<UInt64> {
            let future = await consumer.next()
            try scene.expect(future?.request, equals: TransportSuite.numbered(number), "future \(number)")
            let response = try await future?.response
            try scene.expect(response?.lastLog, equals: number + 1, "the last log of answer \(number)")
          }
          try await sending
        }
      },
      Check("A remote error fails one request of a pipeline, not the next", if: \.hasPipelines) {
        scene in
        try await scene.caller.withAppendPipeline(id: scene.id, target: scene.address) { pipeline in
          let consumer = pipeline.consumer.makeAsyncIterator()
          for number in 1...6 as ClosedRange<UInt64> {
            async let sent = pipeline.appendEntries(TransportSuite.numbered(number))
            let received = try await scene.nextAppend()
            let response = EchoConsumer.response(to: received.request)
            if number.isMultiple(of: 2) {
              received.responder.fail("not this one", response: response)
            } else {
              received.responder.succeed(response)
            }
            guard let future = await consumer.next() else {
              throw Failure(expected: "future \(number)", actual: "the end of the pipeline's consumer")
            }
            let outcome = await scene.outcome { try await future.response }
            if number.isMultiple(of: 2) {
              let error = try scene.error(
                outcome, "request \(number)", codes: [.remote], delivery: [.answered])
              try scene.expect(error.remote?.text, equals: "not this one", "the error's text")
              try scene.expect(
                error.remote?.response, equals: .appendEntries(response), "the response beside the error")
            } else {
              try scene.expect(
                scene.value(outcome, "request \(number)"), equals: response, "answer \(number)")
            }
            _ = try await sent
          }
        }
      },
      Check("Two pipelines and single calls go side by side", if: \.hasPipelines) { scene in
        try await withEchoConsumer(scene.callee) { _ in
          try await withThrowingTaskGroup(of: Void.self) { group in
            for base in [1000, 2000] as [UInt64] {
              group.addTask {
                try await scene.caller.withAppendPipeline(id: scene.id, target: scene.address) { pipeline in
                  let consumer = pipeline.consumer.makeAsyncIterator()
                  for number in base...base + 50 {
                    async let sent = pipeline.appendEntries(TransportSuite.numbered(number))
                    let response = try await consumer.next()?.response
                    try scene.expect(
                      response?.lastLog, equals: number + 1, "the last log of a pipeline's answer")
                    _ = try await sent
                  }
                }
              }
            }
            for term in 1...50 as ClosedRange<UInt64> {
              let response = try await scene.vote(RequestVoteRequest(term: term))
              try scene.expect(response.term, equals: term, "the term of a vote beside pipelines")
            }
            try await group.waitForAll()
          }
        }
      },
      Check("A future's answer may be awaited many times", if: \.hasPipelines) { scene in
        try await scene.caller.withAppendPipeline(id: scene.id, target: scene.address) { pipeline in
          async let sent = pipeline.appendEntries(TransportSuite.numbered(8))
          let received = try await scene.nextAppend()
          received.responder.succeed(EchoConsumer.response(to: received.request))
          let consumer = pipeline.consumer.makeAsyncIterator()
          guard let taken = await consumer.next() else {
            throw Failure(expected: "a future", actual: "the end of the pipeline's consumer")
          }
          let future = try await sent
          try scene.expect(taken === future, "the future of the call from the consumer", found: "another one")
          for _ in 1...3 {
            try scene.expect(await (try future.response).lastLog, equals: 9, "the last log of the answer")
          }
        }
      },
    ]
  }
}
