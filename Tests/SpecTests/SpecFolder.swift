import Foundation

/// The pages and tables of `Spec/`, and the sources that cite them.
enum SpecFolder {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static let spec = root.appending(path: "Spec")

  static func page(_ name: String) throws -> Page {
    try Page(name: name, text: String(contentsOf: spec.appending(path: name), encoding: .utf8))
  }

  /// All Markdown pages, by name.
  static func pages() throws -> [Page] {
    try FileManager.default.contentsOfDirectory(atPath: spec.path)
      .filter { $0.hasSuffix(".md") }.sorted().map(page)
  }

  static func json<Value: Decodable>(_ path: String, as type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(contentsOf: spec.appending(path: path)))
  }

  /// The files of source below the folders, with their contents, in the order of their paths.
  static func sources(
    in folders: [String], extensions: Set<String> = ["swift"]
  ) throws -> [(path: String, text: String)] {
    var found: [(path: String, text: String)] = []
    for folder in folders {
      let base = root.appending(path: folder)
      guard let walk = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil) else {
        continue
      }
      for case let file as URL in walk where extensions.contains(file.pathExtension) {
        let path = String(file.path.dropFirst(root.path.count + 1))
        found.append((path, try String(contentsOf: file, encoding: .utf8)))
      }
    }
    return found.sorted { $0.path < $1.path }
  }
}

/// One Markdown page.
struct Page {
  let name: String
  let text: String

  /// Paragraphs and items of lists without the ones in code blocks, each as one line.
  var paragraphs: [String] {
    var result: [String] = []
    var current: [Substring] = []
    var isCode = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") { isCode.toggle() }
      if isCode || line.allSatisfy(\.isWhitespace) {
        if !current.isEmpty { result.append(Self.joined(current)) }
        current = []
      } else {
        if line.hasPrefix("- "), !current.isEmpty {
          result.append(Self.joined(current))
          current = []
        }
        current.append(line)
      }
    }
    if !current.isEmpty { result.append(Self.joined(current)) }
    return result
  }

  private static func joined(_ lines: [Substring]) -> String {
    lines.map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
  }

  /// The tables of the page: rows as dictionaries by the words of the heading.
  var tables: [[[String: String]]] {
    var result: [[[String: String]]] = []
    var rows: [[String]] = []
    let lines: [Substring] = text.split(separator: "\n", omittingEmptySubsequences: false) + [""]
    for line in lines {
      if line.hasPrefix("|") {
        rows.append(
          line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) })
      } else if let heading = rows.first {
        result.append(
          rows.dropFirst(2).map { row in
            Dictionary(zip(heading, row), uniquingKeysWith: { first, _ in first })
          })
        rows = []
      }
    }
    return result
  }

  /// The rows of all tables that have all these columns.
  func rows(withColumns columns: String...) -> [[String: String]] {
    tables.filter { table in columns.allSatisfy { table.first?[$0] != nil } }.flatMap { $0 }
  }

  /// The anchors of the headings as GitHub makes them.
  var anchors: Set<String> {
    Set(
      text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { line in
        line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
          .filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
          .replacing(" ", with: "-")
      })
  }
}

/// A number as tables write it: 65,536 or 0x1F.
func number(_ text: String?) -> Int? {
  guard let text else { return nil }
  if text.hasPrefix("0x") { return Int(text.dropFirst(2), radix: 16) }
  return Int(text.replacing(",", with: ""))
}
