import ConformanceSuite
import Foundation
import Testing

@Suite("Reports of the conformance suite")
struct ReportTests {
  private static func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "report-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  @Test("a file that cannot be written is found before a run")
  func unwritable() throws {
    try Self.withFolder { folder in
      let path = folder.appending(path: "no folder/report.xml").path
      #expect(throws: ReportFile.Unwritable.self) { try ReportFile(path: path) }
      #expect(throws: ReportFile.Unwritable.self) { try ReportFile(path: folder.path) }
    }
  }

  @Test("a file keeps what it has until there is a report, which takes its place")
  func replacement() throws {
    try Self.withFolder { folder in
      let file = folder.appending(path: "report.xml")
      try "what was there before, and longer".write(to: file, atomically: true, encoding: .utf8)
      let report = try ReportFile(path: file.path)
      #expect(try String(contentsOf: file, encoding: .utf8) == "what was there before, and longer")
      try report.write("short")
      #expect(try String(contentsOf: file, encoding: .utf8) == "short")
    }
  }

  @Test("a list has the text of every requirement of every case")
  func listing() {
    for item in Cases.all {
      let lines = TextReport.listing(item)
      #expect(lines.count == 1 + item.requirements.count)
      for (line, id) in zip(lines.dropFirst(), item.requirements) {
        #expect(line.contains(id))
        #expect(line.contains(Requirements.all[id]?.sentence ?? "no such requirement"))
      }
    }
  }
}
