internal import RaftTransport

extension TransportSuite {
  static var lifecycleChecks: [Check] {
    [
      Check("A transport starts and can be closed, and closed again") { scene in
        await scene.caller.close()
        await scene.caller.close()
        await scene.callee.close()
        await scene.callee.close()
      },
      Check("Closing ends the consumer, for whoever waits and for whoever comes later") { scene in
        async let waiting = scene.callee.consumer.makeAsyncIterator().next()
        await scene.callee.close()
        let first = await waiting
        try scene.expect(first == nil, "the waiting iterator to end", found: "\(String(describing: first))")
        let later = await scene.callee.consumer.makeAsyncIterator().next()
        try scene.expect(later == nil, "a later iterator to end", found: "\(String(describing: later))")
      },
      Check("A cancelled task stops waiting for RPCs, and others go on") { scene in
        let consumer = scene.callee.consumer
        let waiting = Task { await consumer.makeAsyncIterator().next() == nil }
        waiting.cancel()
        try scene.expect(await waiting.value, equals: true, "the cancelled iterator to end")
        try await scene.proveAlive("after an iterator was cancelled")
      },
      Check("Calls after closing fail with shutdown and were not delivered") { scene in
        await scene.caller.close()
        for kind in CallKind.allCases {
          let outcome = await scene.outcome {
            try await kind.perform(on: scene.caller, id: scene.id, target: scene.address)
          }
          try scene.error(
            outcome, "\(kind.rawValue) after closing", codes: [.shutdown], delivery: [.notDelivered])
        }
      },
      Check("Opening a pipeline after closing fails with shutdown", if: \.hasPipelines) { scene in
        await scene.caller.close()
        let outcome = await scene.outcome { _ = try await scene.pipeline() }
        try scene.error(outcome, "a pipeline after closing", codes: [.shutdown], delivery: [.notDelivered])
      },
      Check("Closing the caller ends a call under way with shutdown, delivery unknown") { scene in
        async let outcome = scene.outcome { try await scene.append(numbered(1)) }
        let rpc = try await scene.next()
        await scene.caller.close()
        try scene.error(await outcome, "a call under way", codes: [.shutdown], delivery: [.unknown])
        rpc.answerWithSample()
      },
      Check("Closing the callee ends a call under way, and does not call it undelivered") { scene in
        async let outcome = scene.outcome { try await scene.append(AppendEntriesRequest(term: 1)) }
        let rpc = try await scene.next()
        await scene.callee.close()
        try scene.error(
          await outcome, "a call whose callee was closed",
          codes: [.connectionLost, .streamReset, .remote], delivery: [.unknown, .answered])
        rpc.answerWithSample()
      },
      Check("Closing the callee cuts the body of a snapshot short") { scene in
        let stalled = StalledPieces(first: SnapshotPattern.bytes(1000))
        async let outcome = scene.outcome {
          try await scene.snapshot(InstallSnapshotRequest(size: 5000), SnapshotSource(stalled))
        }
        let received = try await scene.nextSnapshot()
        async let body = scene.outcome { try await received.body.collect(upTo: 5000) }
        await scene.callee.close()
        try scene.error(
          await body, "the body at a closed transport", codes: [.snapshotCut, .shutdown],
          delivery: [.unknown, .notDelivered, .answered])
        try scene.error(
          await outcome, "the call of that snapshot",
          codes: [.connectionLost, .streamReset, .remote], delivery: [.unknown, .answered])
      },
    ]
  }
}
