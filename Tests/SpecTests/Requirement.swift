import Foundation

/// One requirement, as `requirements.json` has it and as it stands on its page.
struct Requirement: Codable, Hashable {
  let id: String
  let file: String
  let level: String
  let observable: Bool
  let sentence: String

  var area: String { String(id.dropLast(id.count - (id.lastIndexOfHyphen ?? id.count))) }
  var number: Int? { id.split(separator: "-").last.flatMap { Int($0) } }

  /// Which page holds which area.
  static let pages: [String: String] = [
    "R-FRM": "framing.md", "R-HSK": "handshake.md", "R-PAIR": "handshake.md", "R-STR": "streams.md",
    "R-FLW": "flow-control.md", "R-SCH": "scheduling.md", "R-LIV": "liveness.md", "R-DRN": "drain.md",
    "R-ERR": "errors.md", "R-LIM": "limits.md", "R-SEC": "security.md", "R-PAY": "payloads.md",
    "R-SNAP": "snapshots.md",
  ]

  /// Strongest reading first: "MUST NOT" before "MUST".
  static let levels = ["MUST NOT", "MUST", "SHOULD NOT", "SHOULD", "MAY"]

  /// The requirements on one page: paragraphs that start with an id in bold.
  static func all(on page: Page) -> [Requirement] {
    page.paragraphs.compactMap { paragraph in
      guard let match = paragraph.wholeMatch(of: /\*\*(R-[A-Z]+-[0-9]+)\.?\*\* (\(local\) )?(.+)/) else {
        return nil
      }
      let sentence = String(match.3)
      return Requirement(
        id: String(match.1), file: page.name, level: level(of: sentence) ?? "none",
        observable: match.2 == nil, sentence: sentence)
    }
  }

  /// The first conformance word.
  static func level(of sentence: String) -> String? {
    sentence.firstMatch(of: /\b(MUST NOT|MUST|SHOULD NOT|SHOULD|MAY)\b/).map { String($0.1) }
  }

  struct Table: Codable {
    let about: String
    let requirements: [Requirement]
  }

  static func table() throws -> [Requirement] {
    try SpecFolder.json("tables/requirements.json", as: Table.self).requirements
  }
}

extension String {
  fileprivate var lastIndexOfHyphen: Int? {
    lastIndex(of: "-").map { distance(from: startIndex, to: $0) }
  }
}
