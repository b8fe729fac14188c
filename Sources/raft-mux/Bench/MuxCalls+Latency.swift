import RaftTransport

extension MuxCalls {
  /// Small calls and how long they take.
  func latency(_ question: Workload.Question, _ effort: Effort) async throws -> Sample {
    let schedule = CallSchedule(effort)
    let latencies = SharedLatencies(interval: max(.milliseconds(10), effort.duration / 100))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<effort.asking.askers {
        group.addTask {
          while let start = try await schedule.next() {
            let snapshotBytes = try await ask(question)
            latencies.record(
              start: start - schedule.start, time: ContinuousClock.now - start, snapshotBytes: snapshotBytes)
          }
        }
      }
      try await group.waitForAll()
    }
    let seconds = (ContinuousClock.now - schedule.start).inSeconds
    let recorded = latencies.recorded
    return Sample(
      operations: recorded.count, payloadBytes: 0, seconds: seconds, latency: recorded.latency,
      load: Sample.Load(requestsPerSecond: 0, snapshotBytesPerSecond: recorded.snapshotBytesPerSecond),
      timeline: recorded.moments)
  }

  /// The same beside a load that takes all it can get: snapshots one after the other, and perhaps a pipeline.
  func latency(
    _ question: Workload.Question, beside load: OutgoingSnapshot, withPipeline: Bool, _ effort: Effort
  ) async throws -> Sample {
    let answers = Tally()
    let isOver = StopSign()
    return try await withThrowingTaskGroup(of: Sample?.self) { group in
      if withPipeline {
        group.addTask {
          try await pipeline(Workload.loadBatch, counting: answers) { !isOver.isSet }
          return nil
        }
      }
      group.addTask {
        do {
          while !isOver.isSet { try await send(load, load.source()) }
        } catch  where isOver.isSet {
          // Cancelled on purpose.
        }
        return nil
      }
      group.addTask {
        try await leadIn(question, effort)
        let before = answers.value
        var sample = try await latency(question, effort)
        sample.load?.requestsPerSecond = Double(answers.value - before) / sample.seconds
        return sample
      }
      // The load ends only when it fails, or when it is told to.
      guard let sample = try await group.next() ?? nil else { throw CancellationError() }
      isOver.set()
      group.cancelAll()
      // What the load's end throws is our own cancellation.
      while await group.nextResult() != nil {}
      return sample
    }
  }

  /// Calls that count for nothing, until the load has come into its own.
  private func leadIn(_ question: Workload.Question, _ effort: Effort) async throws {
    let end = ContinuousClock.now + effort.leadIn
    let before = try await ask(question)
    while try await ask(question) <= before || ContinuousClock.now < end {
      // Leaves the processors to the load that is waited for.
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  /// - Returns: How many bytes of snapshots the other side has read.
  private func ask(_ question: Workload.Question) async throws -> UInt64 {
    switch question {
    case .vote:
      let request = RequestVoteRequest(
        header: header, term: 2, candidate: leader, lastLogIndex: 1, lastLogTerm: 1)
      let response = try await transport.requestVote(id: peer, target: target, request)
      guard response.granted else { throw BenchError("a vote was not granted") }
      return response.term
    case .heartbeat:
      let request = AppendEntriesRequest(header: header, term: 2, leader: leader)
      let response = try await transport.appendEntries(id: peer, target: target, request)
      guard response.success else { throw BenchError("a heartbeat was not accepted") }
      return response.term
    }
  }
}
