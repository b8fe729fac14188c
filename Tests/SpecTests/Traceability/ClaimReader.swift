/// Finds in a file of tests which test claims which requirement.
///
/// A claim is a list of ids in front of a test's title ("R-LIM-7: …"), or at the start of a comment that stands right
/// above a test or a suite or inside a test's function. An id anywhere else is a mention and claims nothing, except
/// that a comment which has the form of a claim and stands where no test takes it is reported: somebody meant one.
///
/// The reader goes by lines and their indentation, which `swift format lint` keeps as it expects them.
struct ClaimReader {
  struct Claim: Hashable {
    let id: String
    /// The test's function behind its suite ("WindowTests.grows"), or a whole suite.
    let test: String
  }

  private(set) var claims: [Claim] = []
  /// Lines, from 1, of claims that no test takes.
  private(set) var orphans: [Int] = []

  /// A test's function whose end has not come.
  private var openTest: (name: String, indentation: Int)?
  /// Lines of a test's or suite's attributes so far.
  private var attributes: [Substring]?
  /// Claims above a declaration that has not come.
  private var waiting: [(id: String, line: Int)] = []
  private var type: Substring?
  /// A list of ids that ended with a comma goes on in the next line.
  private var listGoesOn = false

  init(_ text: String) {
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      read(line, number: index + 1)
    }
    orphans += waiting.map(\.line)
  }

  private mutating func read(_ line: Substring, number: Int) {
    let indentation = line.prefix { $0 == " " }.count
    let words = line.dropFirst(indentation)
    if let openTest, openTest.indentation == indentation, words == "}" {
      self.openTest = nil
    } else if words.hasPrefix("//") {
      comment(words.drop { $0 == "/" || $0 == " " }, number: number)
    } else if openTest == nil {
      listGoesOn = false
      code(words, indentation: indentation)
    }
  }

  private mutating func comment(_ text: Substring, number: Int) {
    guard let (ids, goesOn) = Self.list(text) else {
      listGoesOn = false
      return
    }
    listGoesOn = goesOn
    for id in ids {
      if let openTest {
        claims.append(Claim(id: id, test: openTest.name))
      } else {
        waiting.append((id, number))
      }
    }
  }

  private mutating func code(_ words: Substring, indentation: Int) {
    if attributes == nil, words.hasPrefix("@Test") || words.hasPrefix("@Suite") { attributes = [] }
    guard var lines = attributes else {
      if indentation == 0, let name = Self.typeName(words) { type = name }
      // The attributes of other kinds that may stand between a claim and its test.
      if !words.hasPrefix("@") {
        orphans += waiting.map(\.line)
        waiting = []
      }
      return
    }
    lines.append(words)
    attributes = lines
    if let match = words.firstMatch(of: /\bfunc (`[^`]+`|\w+)/) {
      let name = (type.map { "\($0)." } ?? "") + match.1
      take(lines, for: name)
      let isOneLine = words.hasSuffix("}") && words.count { $0 == "{" } == words.count { $0 == "}" }
      if !isOneLine { openTest = (name, indentation) }
    } else if !words.hasPrefix("\""), let name = Self.typeName(words) {
      type = name
      take(lines, for: String(name))
    }
  }

  private static func typeName(_ words: Substring) -> Substring? {
    words.firstMatch(of: /\b(?:struct|enum|actor|class|extension) (\w+)/)?.1
  }

  private mutating func take(_ lines: [Substring], for test: String) {
    // A test that never runs holds nothing.
    if lines.contains(where: { $0.contains(".disabled(") || $0.contains(".enabled(if: false") }) {
      orphans += waiting.map(\.line)
      waiting = []
      attributes = nil
      return
    }
    let title = lines.joined(separator: " ").firstMatch(of: /"([^"]*)"/)?.1 ?? ""
    let titled = title.contains(": ") ? Self.list(title)?.ids ?? [] : []
    for id in waiting.map(\.id) + titled { claims.append(Claim(id: id, test: test)) }
    waiting = []
    attributes = nil
  }

  /// The ids at the start of a text, if they stand there as a list and not as part of a sentence.
  private static func list(_ text: Substring) -> (ids: [String], goesOn: Bool)? {
    let ids = /R-[A-Z]+-[0-9]+(?:, R-[A-Z]+-[0-9]+)*/
    guard let match = text.prefixMatch(of: ids) else { return nil }
    let rest = text[match.range.upperBound...]
    guard rest.isEmpty || rest == "." || rest == "," || rest.hasPrefix(":") else { return nil }
    return (match.0.split(separator: ", ").map(String.init), rest == ",")
  }
}
