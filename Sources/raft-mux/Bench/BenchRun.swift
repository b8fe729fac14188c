/// Measures every workload on every system, in turns: round after round, so that what else goes on on the machine
/// meets all of them alike.
struct BenchRun: Sendable {
  struct Plan: Sendable {
    var workloads: [Workload]
    /// 1 at least.
    var rounds: Int
    var effort: Effort
    /// Before each measurement, on the same connection; its figures count for nothing.
    var warmUp: Effort
    /// Whether one more round counts system calls and allocations, whose speed counts for nothing.
    var isCounting = false
  }

  /// Something that was not measured.
  struct Gap: Sendable, Equatable {
    var workload: String
    var system: String
    var reason: String
  }

  struct Results: Sendable {
    var measurements: [Measurement] = []
    var gaps: [Gap] = []
  }

  let plan: Plan
  let systems: [any MeasuredSystem]
  /// How long one measurement may take.
  let patience: Duration

  /// Measures until everything was, or the task is cancelled.
  ///
  /// - Parameter report: Told of each measurement, or of what went wrong, as it is done.
  func run(report: (Result<Measurement, Gap>) -> Void) async -> Results {
    var results = Results()
    for workload in plan.workloads {
      var systems = systems.filter { $0.supports(workload) }
      for round in 1...(plan.rounds + (plan.isCounting ? 1 : 0)) {
        for system in systems {
          if Task.isCancelled { return results }
          do {
            let measurement = try await measure(
              workload, on: system, round: round, isCounted: round > plan.rounds)
            results.measurements.append(measurement)
            report(.success(measurement))
          } catch {
            if Task.isCancelled { return results }
            let gap = Gap(workload: workload.name, system: system.name.rawValue, reason: "\(error)")
            results.gaps.append(gap)
            report(.failure(gap))
            // What fails once is not tried again in each round.
            systems.removeAll { $0.name == system.name }
          }
        }
      }
    }
    return results
  }

  private func measure(
    _ workload: Workload, on system: any MeasuredSystem, round: Int, isCounted: Bool
  ) async throws -> Measurement {
    try await within(patience) {
      let session = try await system.open(workload)
      do {
        try await session.warmUp(plan.warmUp)
        if isCounted { try await session.count(true) }
        let before = try await session.usage()
        let sample = try await session.measure(plan.effort)
        let usage = try await session.usage().since(before)
        if isCounted { try await session.count(false) }
        await session.close()
        return Measurement(
          workload: workload.name, system: system.name.rawValue, round: round, isCounted: isCounted,
          sample: sample, usage: usage)
      } catch {
        await session.close()
        throw error
      }
    }
  }

  private func within(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> Measurement
  ) async throws -> Measurement {
    try await withThrowingTaskGroup(of: Measurement.self) { group in
      group.addTask(operation: body)
      group.addTask {
        // A watchdog: what hangs becomes a gap in the table.
        try await Task.sleep(for: limit)
        throw BenchError("not done within \(limit)")
      }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
  }
}

extension BenchRun.Gap: Error {}
