internal import RaftTransport

extension TransportSuite {
  static var pipelineEndChecks: [Check] {
    [
      Check(
        "Closing a pipeline fails what was not answered and ends its consumer", if: \.hasPipelines
      ) {
        scene in
        let count = min(UInt64(scene.options.pipelineDepth) - 1, 5)
        let pipeline = try await scene.pipeline()
        var sent: [AppendFuture] = []
        for number in 1...count { sent.append(try await pipeline.appendEntries(numbered(number))) }
        let first = try await scene.nextAppend()
        await pipeline.close()
        for (index, future) in sent.enumerated() {
          let outcome = await scene.outcome { try await future.response }
          let delivery: [TransportError.Delivery] = index == 0 ? [.unknown] : [.unknown, .notDelivered]
          try scene.error(outcome, "request \(index + 1)", codes: [.pipelineClosed], delivery: delivery)
        }
        let consumer = pipeline.consumer.makeAsyncIterator()
        for future in sent {
          let taken = await consumer.next()
          try scene.expect(
            taken === future, "the failed futures from the consumer, in order",
            found: "\(taken.map { "that of \($0.request.previousLogIndex)" } ?? "the end")")
        }
        let beyond = await consumer.next()
        try scene.expect(beyond == nil, "the consumer to end", found: "another future")
        first.responder.succeed(AppendEntriesResponse())
        try await scene.proveAlive("after a pipeline was closed")
      },
      Check("Closing a pipeline ends a wait for its consumer", if: \.hasPipelines) { scene in
        let pipeline = try await scene.pipeline()
        async let waiting = pipeline.consumer.makeAsyncIterator().next()
        await pipeline.close()
        let taken = await waiting
        try scene.expect(taken == nil, "the waiting consumer to end", found: "a future")
      },
      Check("An answered request keeps its answer when the pipeline is closed", if: \.hasPipelines) { scene in
        let pipeline = try await scene.pipeline()
        async let sent = pipeline.appendEntries(numbered(1))
        let received = try await scene.nextAppend()
        received.responder.succeed(EchoConsumer.response(to: received.request))
        let consumer = pipeline.consumer.makeAsyncIterator()
        let future = await consumer.next()
        _ = try await sent
        await pipeline.close()
        let response = try await future?.response
        try scene.expect(response?.lastLog, equals: 2, "the last log of the answer after closing")
      },
      Check(
        "A closed pipeline takes nothing more, and closing it again does nothing",
        if: \.hasPipelines
      ) {
        scene in
        let pipeline = try await scene.pipeline()
        await pipeline.close()
        await pipeline.close()
        let outcome = await scene.outcome { _ = try await pipeline.appendEntries(numbered(1)) }
        try scene.error(
          outcome, "a request after closing", codes: [.pipelineClosed], delivery: [.notDelivered])
        try await scene.proveAlive("after a pipeline was closed twice")
      },
      Check("Closing a pipeline frees a call that waits for room", if: \.hasPipelines) { scene in
        let count = UInt64(scene.options.pipelineDepth)
        let pipeline = try await scene.pipeline()
        async let sending = scene.outcome {
          for number in 1...count + 1 { _ = try await pipeline.appendEntries(numbered(number)) }
        }
        let first = try await scene.nextAppend()
        await pipeline.close()
        try scene.error(
          await sending, "more requests than fit", codes: [.pipelineClosed],
          delivery: [.unknown, .notDelivered])
        first.responder.succeed(AppendEntriesResponse())
      },
      Check("Closing the transport ends its pipelines", if: \.hasPipelines) { scene in
        let pipeline = try await scene.pipeline()
        async let sent = scene.outcome { try await pipeline.appendEntries(numbered(1)) }
        let received = try await scene.nextAppend()
        await scene.caller.close()
        let ends: [TransportError.Code] = [.pipelineClosed, .shutdown]
        // With no room for another request the call itself may have waited and failed.
        if case .success(let future) = await sent {
          let outcome = await scene.outcome { try await future.response }
          try scene.error(outcome, "a request under way", codes: ends, delivery: [.unknown])
        }
        let outcome = await scene.outcome { _ = try await pipeline.appendEntries(numbered(2)) }
        try scene.error(outcome, "a request after closing", codes: ends, delivery: [.notDelivered])
        received.responder.succeed(AppendEntriesResponse())
      },
      Check("Closing the callee breaks its pipelines", if: \.hasPipelines) { scene in
        let pipeline = try await scene.pipeline()
        async let sending = scene.outcome { _ = try await pipeline.appendEntries(numbered(1)) }
        let received = try await scene.nextAppend()
        await scene.callee.close()
        let consumer = pipeline.consumer.makeAsyncIterator()
        guard let future = await consumer.next() else {
          throw Failure(expected: "the future of the request", actual: "the end of the pipeline's consumer")
        }
        try scene.error(
          await scene.outcome { try await future.response }, "a request whose callee was closed",
          codes: [.pipelineClosed, .connectionLost, .streamReset, .remote], delivery: [.unknown, .answered])
        _ = await sending
        await pipeline.close()
        received.responder.succeed(AppendEntriesResponse())
      },
    ]
  }
}
