/// Results for the machines that collect tests.
package enum JUnitReport {
  /// - Parameter strict: what a peer should do counts as a failure, too.
  package static func text(_ results: [CaseResult], subject: Subject, strict: Bool) -> String {
    let tally = SuiteTally(results)
    let failures = tally.failed + (strict ? tally.warned : 0)
    var lines = [
      #"<?xml version="1.0" encoding="UTF-8"?>"#,
      #"<testsuites name="RMUX/1 conformance" tests="\#(tally.total)" failures="\#(failures)" skipped="\#(tally.skipped)">"#,
    ]
    for section in results.map(\.item.section).uniqued() {
      let group = results.filter { $0.item.section == section }
      let failed = group.count { isFailure($0, strict: strict) }
      let skipped = group.count { if case .skipped = $0.outcome { true } else { false } }
      lines.append(
        #"  <testsuite name="\#(subject.rawValue).\#(escaped(section))" tests="\#(group.count)" "#
          + #"failures="\#(failed)" errors="0" skipped="\#(skipped)">"#)
      for result in group { lines += caseLines(result, subject: subject, strict: strict) }
      lines.append("  </testsuite>")
    }
    lines.append("</testsuites>")
    return lines.joined(separator: "\n") + "\n"
  }

  private static func isFailure(_ result: CaseResult, strict: Bool) -> Bool {
    result.hasFailed && (strict || result.item.isRequired)
  }

  private static func caseLines(_ result: CaseResult, subject: Subject, strict: Bool) -> [String] {
    let item = result.item
    let head =
      #"    <testcase classname="\#(subject.rawValue).\#(escaped(item.section))" "#
      + #"name="\#(escaped("\(item.id) \(item.title)"))" time="\#(result.seconds)">"#
    switch result.outcome {
    case .passed: return [String(head.dropLast()) + "/>"]
    case .skipped(let reason):
      return [head, #"      <skipped message="\#(escaped(reason))"/>"#, "    </testcase>"]
    case .failed(let expected, let actual):
      let text =
        item.requirements.compactMap { Requirements.all[$0] }.map { "\($0.id): \($0.sentence)" }
        + ["expected: \(expected)", "actual: \(printable(actual))"]
      let body = escaped(text.joined(separator: "\n"))
      return isFailure(result, strict: strict)
        ? [head, #"      <failure message="\#(escaped(expected))">\#(body)</failure>"#, "    </testcase>"]
        : [head, "      <system-out>\(body)</system-out>", "    </testcase>"]
    }
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }
}

extension Sequence where Element: Hashable {
  /// Each element once, in the order of their first places.
  package func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
