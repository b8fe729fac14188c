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

  /// What the tables are sorted by.
  var order: String {
    let digits = String(number ?? 0)
    return "\(file) \(area) \(String(repeating: "0", count: 6 - digits.count))\(digits)"
  }

  /// Which page holds which area.
  static let pages: [String: String] = [
    "R-FRM": "framing.md", "R-HSK": "handshake.md", "R-PAIR": "handshake.md", "R-STR": "streams.md",
    "R-FLW": "flow-control.md", "R-SCH": "scheduling.md", "R-LIV": "liveness.md", "R-DRN": "drain.md",
    "R-ERR": "errors.md", "R-LIM": "limits.md", "R-SEC": "security.md", "R-PAY": "payloads.md",
    "R-SNAP": "snapshots.md", "R-PATH": "path.md", "R-CLS": "classic.md",
  ]

  /// The requirements on one page: paragraphs that start with an id in bold, or end with one in brackets.
  static func all(on page: Page) -> [Requirement] {
    page.paragraphs.compactMap { paragraph in
      if let match = paragraph.wholeMatch(of: /(?:- )?\*\*(R-[A-Z]+-[0-9]+)\*\* (\(local\) )?(.+)/) {
        make(id: match.1, page: page, isLocal: match.2 != nil, sentence: String(match.3))
      } else if let match = paragraph.wholeMatch(of: /(.+) \(\*\*(R-[A-Z]+-[0-9]+)\*\*\)\./) {
        make(id: match.2, page: page, isLocal: false, sentence: match.1 + ".")
      } else {
        nil
      }
    }
  }

  private static func make(
    id: Substring, page: Page, isLocal: Bool, sentence: String
  ) -> Requirement {
    Requirement(
      id: String(id), file: page.name, level: level(of: sentence) ?? "MUST", observable: !isLocal,
      sentence: sentence)
  }

  /// Pages that keep to the form of one sentence with one conformance word.
  var isStrict: Bool { file != "snapshots.md" && file != "payloads.md" }

  /// The first conformance word. A statement without one is as good as MUST.
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
