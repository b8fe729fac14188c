internal import Foundation

/// Results for programs.
package enum JSONReport {
  private struct Report: Encodable {
    let protocolName = "RMUX/1"
    let subject: String
    let tally: SuiteTally
    let cases: [Case]
  }

  private struct Case: Encodable {
    struct Rule: Encodable {
      let id: String
      let level: String
      let page: String
      let sentence: String
    }

    let id: String
    let title: String
    let requirements: [Rule]
    let outcome: String
    let expected: String?
    let actual: String?
    let reason: String?
    let seconds: Double

    init(_ result: CaseResult) {
      let item = result.item
      id = item.id
      title = item.title
      requirements = item.requirements.compactMap { Requirements.all[$0] }.map { requirement in
        Rule(
          id: requirement.id, level: requirement.level, page: requirement.page, sentence: requirement.sentence
        )
      }
      seconds = result.seconds
      switch result.outcome {
      case .passed: (outcome, expected, actual, reason) = ("passed", nil, nil, nil)
      case .skipped(let why): (outcome, expected, actual, reason) = ("skipped", nil, nil, why)
      case .failed(let wanted, let got):
        (outcome, expected, actual, reason) = (item.isRequired ? "failed" : "warned", wanted, got, nil)
      }
    }
  }

  package static func text(_ results: [CaseResult], subject: Subject) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let report = Report(subject: subject.rawValue, tally: SuiteTally(results), cases: results.map(Case.init))
    return String(decoding: try encoder.encode(report), as: UTF8.self)
  }
}
