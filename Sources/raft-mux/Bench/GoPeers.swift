import Foundation

/// Programs in Go that do the same work: hashicorp/raft's own transport on three kinds of streams, and plain TCP.
///
/// Their harness is built from the package's sources with the libraries that the system's Go packages put into one
/// place; nothing is downloaded.
struct GoPeers: Sendable {
  /// Where Debian's packages put the sources of libraries.
  private static let libraries = "/usr/share/gocode"

  fileprivate struct Library: Sendable {
    let tag: String
    let path: String
    let package: String

    static let raft = Library(
      tag: "raft", path: "github.com/hashicorp/raft", package: "golang-github-hashicorp-raft-dev")
    static let yamux = Library(
      tag: "yamux", path: "github.com/hashicorp/yamux", package: "golang-github-hashicorp-yamux-dev")
    static let smux = Library(
      tag: "smux", path: "github.com/xtaci/smux", package: "golang-github-xtaci-smux-dev")

    var isInstalled: Bool {
      FileManager.default.fileExists(atPath: "\(GoPeers.libraries)/src/\(path)")
    }
  }

  /// What could be built, and why the rest could not.
  private(set) var available: [SystemName] = []
  private(set) var missing: [(system: SystemName, reason: String)] = []
  private let directory: URL

  private static let systems = SystemName.allCases.filter { !$0.isBuiltIn }

  private var path: String { directory.appending(path: "bench-peers").path }

  /// Builds the harness into a temporary folder.
  static func build() async -> GoPeers {
    var peers = GoPeers(
      directory: FileManager.default.temporaryDirectory.appending(
        path: "raft-mux-bench-peers-\(UUID().uuidString)"))
    do {
      guard let sources = Self.sources() else {
        throw BenchError("Tests/BenchPeers is not here; start it inside the package")
      }
      let tags = [Library.raft, .yamux, .smux].filter(\.isInstalled).map(\.tag)
      try FileManager.default.createDirectory(at: peers.directory, withIntermediateDirectories: true)
      try await peers.compile(sources, tags: tags)
    } catch {
      peers.missing = systems.map { ($0, "the harness cannot be built: \(error)") }
      return peers
    }
    for system in systems {
      if let library = system.needs.first(where: { !$0.isInstalled }) {
        peers.missing.append((system, "\(library.path) is not installed (package \(library.package))"))
      } else {
        peers.available.append(system)
      }
    }
    return peers
  }

  /// The program that serves and calls a system.
  ///
  /// - Throws: ``BenchError`` with the reason why there is none.
  func program(of system: SystemName) throws -> String {
    if let gap = missing.first(where: { $0.system == system }) { throw BenchError(gap.reason) }
    return path
  }

  /// Removes what was built.
  func remove() {
    try? FileManager.default.removeItem(at: directory)
  }

  private func compile(_ sources: URL, tags: [String]) async throws {
    let settings = [
      "GO111MODULE=off", "GOPATH=\(Self.libraries)", "GOFLAGS=",
      "GOCACHE=\(directory.appending(path: "cache").path)",
    ]
    // The compiler has to run in the folder of the sources; a shell is the portable way to get there.
    let script = "cd \"$0\" && exec /usr/bin/env \"$@\" 1>&2"
    let go = ["go", "build", "-tags", tags.joined(separator: " "), "-o", path, "."]
    let (ended, signal) = AsyncStream.makeStream(of: Never.self)
    let compiler = try ChildProcess(
      program: "/bin/sh", arguments: ["-c", script, sources.path] + settings + go, onLine: { _ in },
      onEnd: { signal.finish() })
    for await _ in ended {}
    await compiler.end()
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw BenchError("'go build' failed (package golang-go)")
    }
  }

  private static func sources() -> URL? {
    var directory = URL(filePath: FileManager.default.currentDirectoryPath).standardizedFileURL
    while true {
      let sources = directory.appending(path: "Tests/BenchPeers")
      if FileManager.default.fileExists(atPath: sources.appending(path: "main.go").path) { return sources }
      if directory.path == "/" { return nil }
      directory = directory.deletingLastPathComponent().standardizedFileURL
    }
  }
}

extension SystemName {
  /// The libraries it needs, each with the build tag under which the harness uses it and its Debian package.
  fileprivate var needs: [GoPeers.Library] {
    switch self {
    case .raftOverTCP: [.raft]
    case .raftOverYamux: [.raft, .yamux]
    case .raftOverSmux: [.raft, .smux]
    case .tcp, .rmux, .bareNIO: []
    }
  }
}
