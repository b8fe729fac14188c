/// Results for people.
package enum TextReport {
  /// One case in a line; for what did not pass, more lines.
  package static func lines(_ result: CaseResult) -> [String] {
    let item = result.item
    switch result.outcome {
    case .passed: return ["  ok    \(item.id)  \(item.title)"]
    case .skipped(let reason): return ["  skip  \(item.id)  \(item.title) (\(reason))"]
    case .failed(let expected, let actual):
      return ["  \(item.isRequired ? "FAIL" : "warn")  \(item.id)  \(item.title)"] + requirements(of: item)
        + [
          "        expected: \(expected)", "        actual:   \(printable(actual))",
        ]
    }
  }

  /// A case without a result, for a list: a line, and one more for each requirement.
  package static func listing(_ item: ConformanceCase) -> [String] {
    let who = Subject.allCases.filter(item.subjects.contains).map(\.rawValue).joined(separator: "+")
    let method = [[.none]: ["without --key"], [.sharedKey]: ["with --key"]][item.methods] ?? []
    let notes = [who] + method + (item.isRequired ? [] : ["SHOULD"])
    return ["\(item.id)  [\(notes.joined(separator: ", "))]  \(item.title)"] + requirements(of: item)
  }

  private static func requirements(of item: ConformanceCase) -> [String] {
    item.requirements.compactMap { Requirements.all[$0] }.map { requirement in
      "        \(requirement.id) (\(requirement.page)): \(requirement.sentence)"
    }
  }

  package static func summary(_ tally: SuiteTally) -> String {
    "\(tally.total) cases: \(tally.passed) passed, \(tally.failed) failed, \(tally.warned) not as they should, "
      + "\(tally.skipped) skipped"
  }
}

/// How many cases came out how.
package struct SuiteTally: Sendable, Equatable, Codable {
  package var total = 0
  package var passed = 0
  /// A MUST was broken.
  package var failed = 0
  /// A SHOULD was not kept.
  package var warned = 0
  package var skipped = 0

  package init(_ results: [CaseResult]) {
    for result in results {
      total += 1
      switch result.outcome {
      case .passed: passed += 1
      case .skipped: skipped += 1
      case .failed where result.item.isRequired: failed += 1
      case .failed: warned += 1
      }
    }
  }

  /// Whether the peer conforms; strictly, whether it also does all that it should.
  package func isConforming(strict: Bool) -> Bool {
    failed == 0 && (!strict || warned == 0) && passed > 0
  }
}
