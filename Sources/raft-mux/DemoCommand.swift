import ArgumentParser
import Foundation

/// `raft-mux demo`.
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Runs three nodes on loopback and shows log, snapshot and votes side by side.",
    discussion: """
      A leader replicates the lines of a file to two followers, sends a file as a snapshot to one of them, and asks \
      both for their votes all the while; everybody also asks everybody for pre-votes. Each pair of nodes has one \
      TCP connection for all of it. At the end it says whether every byte arrived, how many connections the \
      operating system counted, and whether anything was left open.

      The exit status is 0 if all of that was as promised, 1 if not, and 130 after Ctrl-C.
      """
  )

  @Flag(help: "Run each follower in a process of its own.")
  var processes = false

  @Option(
    help: ArgumentHelp(
      "The file whose lines are the log's entries. Without it: the sources of the package around the current "
        + "directory, or generated text.",
      valueName: "file"))
  var log: String?

  @Option(
    help: ArgumentHelp(
      "The file that is sent as the snapshot. Without it: one made from the log's text.", valueName: "file"))
  var snapshot: String?

  @Option(
    help: ArgumentHelp(
      "The size of a snapshot that is made, such as 64M; K, M and G are powers of 1024.", valueName: "size"))
  var snapshotSize = ByteSize(count: 64 << 20)

  @Option(
    help: ArgumentHelp(
      "How long to go on sending (0 to 600); log and snapshot are sent once at least.", valueName: "seconds"))
  var duration = 3.0

  @Option(help: ArgumentHelp("Whether snapshots are compressed.", valueName: "off|on|auto"))
  var compression = CompressionChoice.auto

  @Option(
    help: ArgumentHelp(
      "AppendEntries requests under way at once per follower (2 to 1024).", valueName: "number")
  )
  var depth = 16

  @Option(help: ArgumentHelp("Entries per AppendEntries request (1 to 4096).", valueName: "number"))
  var batch = 64

  @Option(
    help: ArgumentHelp(
      "Use TLS, with the certificates that `raft-mux certs --out folder` made.", valueName: "folder"))
  var tls: String?

  @Option(
    help: ArgumentHelp(
      "Use a shared key: a file of 64 hexadecimal digits, as `openssl rand -hex 32` makes it.",
      valueName: "file"))
  var key: String?

  @Flag(
    help:
      "Print one JSON object on standard output at the end and nothing else; progress is on standard error.")
  var json = false

  func validate() throws {
    guard (0.0...600.0).contains(self.duration) else {
      throw ValidationError("--duration is from 0 to 600 seconds")
    }
    guard (2...1024).contains(self.depth) else { throw ValidationError("--depth is from 2 to 1024") }
    guard (1...4096).contains(self.batch) else { throw ValidationError("--batch is from 1 to 4096") }
    if let problem = self.security.problem { throw ValidationError(problem) }
  }

  private var security: SecurityChoice { SecurityChoice(certificates: self.tls, keyFile: self.key) }

  func run() async throws {
    let settings = DemoSettings(
      inProcesses: self.processes, log: self.log, snapshot: self.snapshot,
      snapshotSize: self.snapshotSize.count, duration: .seconds(self.duration),
      compression: self.compression, depth: self.depth, batch: self.batch, security: self.security,
      json: self.json)
    let result = try await DemoRun(settings: settings, open: TransportOpener.open).run()
    if self.json {
      print(try result.summary.json())
    } else {
      for line in result.verdict.lines { print(line) }
    }
    if !result.verdict.isKept { throw ExitCode(1) }
    if result.wasInterrupted { throw ExitCode(130) }
  }
}
