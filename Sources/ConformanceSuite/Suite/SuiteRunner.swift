internal import NIOCore

/// What became of a case.
package enum Outcome: Sendable, Equatable {
  case passed
  case failed(expected: String, actual: String)
  case skipped(String)
}

/// A case and what became of it.
package struct CaseResult: Sendable {
  package let item: ConformanceCase
  package let outcome: Outcome
  package let seconds: Double

  package init(item: ConformanceCase, outcome: Outcome, seconds: Double) {
    self.item = item
    self.outcome = outcome
    self.seconds = seconds
  }

  package var hasFailed: Bool {
    if case .failed = outcome { true } else { false }
  }
}

/// Runs cases against a peer.
package struct SuiteRunner: Sendable {
  let target: Stage.Target
  let settings: SuiteSettings

  package init(target: Stage.Target, settings: SuiteSettings) {
    self.target = target
    self.settings = settings
  }

  /// Runs those of the cases that concern the peer's role and the method, in their order; against a server several at once. A client
  /// makes one connection at a time, so that cases follow each other.
  ///
  /// - Parameter report: is called with each result as it is known.
  package func run(
    _ cases: [ConformanceCase], report: @escaping @Sendable (CaseResult) async -> Void = { _ in }
  ) async -> [CaseResult] {
    let method: Method = settings.key == nil ? .none : .sharedKey
    let chosen = cases.filter { $0.subjects.contains(target.subject) && $0.methods.contains(method) }
    let lanes = target.subject == .client ? 1 : max(1, settings.concurrency)
    return await withTaskGroup(of: (Int, CaseResult).self) { group in
      var results: [CaseResult?] = Array(repeating: nil, count: chosen.count)
      var next = 0
      func start() {
        guard next < chosen.count else { return }
        let (index, item) = (next, chosen[next])
        next += 1
        group.addTask { (index, await run(item)) }
      }
      for _ in 0..<lanes { start() }
      while let (index, result) = await group.next() {
        results[index] = result
        await report(result)
        start()
      }
      return results.compactMap { $0 }
    }
  }

  /// Runs one case.
  package func run(_ item: ConformanceCase) async -> CaseResult {
    let begin = NIODeadline.now()
    let stage = Stage(
      target: target, settings: settings, name: "\(item.section)-\(item.number)",
      deadline: begin + settings.caseLimit + item.waits)
    let outcome: Outcome
    do {
      try await item.body(stage)
      try await stage.end()
      outcome = .passed
    } catch let failure as CaseFailure {
      outcome = .failed(expected: failure.expected, actual: failure.actual)
    } catch let skipped as CaseSkipped {
      outcome = .skipped(skipped.reason)
    } catch {
      outcome = .failed(expected: "an answer", actual: "\(error)")
    }
    await stage.closeAll()
    return CaseResult(
      item: item, outcome: outcome, seconds: Double((NIODeadline.now() - begin).nanoseconds) / 1e9)
  }
}
