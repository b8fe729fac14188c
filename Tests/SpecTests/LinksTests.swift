import Foundation
import Testing

@Suite("The links between the pages")
struct LinksTests {
  @Test("They lead to files and headings that exist")
  func linksResolve() throws {
    let pages = try SpecFolder.pages()
    let anchors = Dictionary(uniqueKeysWithValues: pages.map { ($0.name, $0.anchors) })
    var count = 0
    for page in pages {
      for match in page.text.matches(of: /\]\(([^)\s]+)\)/) where !match.1.hasPrefix("http") {
        count += 1
        let parts = match.1.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let file = parts[0].isEmpty ? page.name : String(parts[0])
        let exists = FileManager.default.fileExists(atPath: SpecFolder.spec.appending(path: file).path)
        withKnownIssue("The page is written elsewhere", isIntermittent: true) {
          #expect(exists, "\(page.name) links to \(file)")
        } when: {
          Self.writtenElsewhere.contains(file)
        }
        if parts.count == 2, let anchors = anchors[file] {
          #expect(anchors.contains(String(parts[1])), "\(page.name) links to \(match.1)")
        }
      }
    }
    #expect(count > 0)
  }

  /// Until these have landed.
  private static let writtenElsewhere: Set<String> = [
    "tables/states.json"
  ]

  @Test("Every page is on the map")
  func mapIsComplete() throws {
    let map = try SpecFolder.page("README.md").text
    for page in try SpecFolder.pages() where page.name != "README.md" {
      #expect(map.contains("](\(page.name)"), "\(page.name)")
    }
  }
}
