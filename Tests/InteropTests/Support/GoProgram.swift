import Crypto
import Foundation

@testable import raft_mux

/// The program of `Tests/GoPeers`, built once for each version of its sources.
enum GoProgram {
  /// Whether the tests that need it run: where Go and the library are, and where the environment says that they have
  /// to be there.
  static var isWanted: Bool { isRequired || missing == nil }

  /// What the skipped tests say.
  static let skipped: String =
    "needs \(GoProgram.missing ?? "nothing more"); on Debian: golang-go and golang-github-hashicorp-raft-dev"

  /// Its path; builds it if that was not done before.
  static func path() async throws -> String { try await built.value }

  private static let isRequired = ProcessInfo.processInfo.environment["RAFT_MUX_REQUIRE_GO"] == "1"

  /// Where Debian's packages put the sources of libraries.
  private static let libraries = "/usr/share/gocode"

  private static let missing: String? = {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
    let files = FileManager.default
    guard path.split(separator: ":").contains(where: { files.isExecutableFile(atPath: "\($0)/go") }) else {
      return "Go"
    }
    let raft = "\(libraries)/src/github.com/hashicorp/raft"
    return files.fileExists(atPath: raft) ? nil : "the sources of hashicorp/raft in \(raft)"
  }()

  private static let built = Task { try await build() }

  /// Runs the tests of the Go code itself, and gives what they print.
  static func runOwnTests() async -> String {
    await go("vet rmux peer && go test rmux").joined(separator: "\n")
  }

  private static let workspace = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../GoPeers").standardizedFileURL

  private static func go(_ arguments: String) async -> [String] {
    await run(
      "cd \"$0\" && export GO111MODULE=off GOFLAGS= GOPATH=\"$0:$1\" && { go \(arguments); } 2>&1",
      workspace.path, libraries)
  }

  private static func build() async throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: "raft-mux-go-peers")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let program = folder.appending(path: try fingerprint(of: workspace))
    if FileManager.default.isExecutableFile(atPath: program.path) { return program.path }
    // Two runs may build at once: each makes a file of its own, and the last one to be renamed stays.
    let fresh = folder.appending(path: UUID().uuidString)
    let lines = await go("build -o '\(fresh.path)' peer")
    guard FileManager.default.isExecutableFile(atPath: fresh.path) else {
      throw GoPeerError(text: "'go build' failed: \(lines.joined(separator: "\n"))")
    }
    guard rename(fresh.path, program.path) == 0 else {
      throw GoPeerError(text: "cannot rename \(fresh.path)")
    }
    return program.path
  }

  /// Changes whenever a source file does.
  private static func fingerprint(of workspace: URL) throws -> String {
    var sum = SHA256()
    let sources = workspace.appending(path: "src").path
    for path in try FileManager.default.subpathsOfDirectory(atPath: sources).sorted()
    where path.hasSuffix(".go") {
      sum.update(data: Data(path.utf8))
      sum.update(data: try Data(contentsOf: URL(filePath: "\(sources)/\(path)")))
    }
    return sum.finalize().prefix(12).map { String(format: "%02x", $0) }.joined()
  }

  private static func run(_ script: String, _ arguments: String...) async -> [String] {
    let (lines, sink) = AsyncStream.makeStream(of: String.self)
    do {
      let shell = try ChildProcess(
        program: "/bin/sh", arguments: ["-c", script] + arguments, onLine: { sink.yield($0) },
        onEnd: { sink.finish() })
      var all: [String] = []
      for await line in lines { all.append(line) }
      await shell.end()
      return all
    } catch {
      return ["\(error)"]
    }
  }
}
