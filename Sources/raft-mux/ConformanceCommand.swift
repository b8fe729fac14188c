import ArgumentParser
import ConformanceSuite
import Foundation
import NIOCore

/// `raft-mux conformance`.
struct ConformanceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conformance",
    abstract: "Tests whether a peer, a server or a client, keeps to the specification of RMUX/1.",
    usage: """
      raft-mux conformance [options] HOST:PORT
      raft-mux conformance [options] --listen PORT
      raft-mux conformance --list
      """,
    discussion: """
      Runs numbered cases, each of which holds the peer to requirements of the specification. The peer must be one \
      that exists for tests: it gets requests of every kind, votes and TimeoutNow among them, and much that is wrong.

      A server is dialled, for every case anew. It has to answer requests, whatever its answers are.

      A client has to dial the address on which this listens, and again whenever a connection ends, soon. It calls \
      AppendEntries all the time: at least ten times a second, also while earlier calls are not answered, and one in \
      ten of them with more than 20,000 bytes of entries. At least twice a second, while the last one is not waiting \
      for its answer, it asks for a vote (RequestVote or RequestPreVote) and sends a snapshot of more than 20,000 \
      bytes. It answers requests that arrive on the connection. It may name the server that it wants (--server-id).

      The exit status is 0 if the peer conforms, 1 if a case failed, 2 if a server takes no connection at all, 64 for \
      wrong arguments and reports that cannot be written.
      """
  )

  @Argument(help: ArgumentHelp("The server.", valueName: "host:port"))
  var address: String?

  @Option(help: ArgumentHelp("Test a client that dials this port of this machine.", valueName: "port"))
  var listen: Int?

  @Option(help: ArgumentHelp("The address to listen on.", valueName: "host"))
  var listenHost = "127.0.0.1"

  @Option(help: ArgumentHelp("The cluster that the peer belongs to.", valueName: "name"))
  var cluster = "conformance"

  @Option(help: ArgumentHelp("What the suite calls itself: the server that a client wants.", valueName: "id"))
  var serverID = "conformance"

  @Option(help: ArgumentHelp("The peer's own server ID; without it, its HELLO tells.", valueName: "id"))
  var target: String?

  @Option(
    help: ArgumentHelp(
      "A shared key (64 hexadecimal digits in a file) that the peer requires.", valueName: "file"))
  var key: String?

  @Option(help: ArgumentHelp("The Raft group that the peer serves.", valueName: "number"))
  var group: UInt64 = 0

  @Flag(
    help:
      "The peer hosts several Raft groups: its own streams may be of any. (So does one of --group other than 0.)"
  )
  var severalGroups = false

  @Option(name: .customLong("case"), help: ArgumentHelp("Run this case; may be repeated.", valueName: "id"))
  var cases: [String] = []

  @Option(help: ArgumentHelp("Run the cases of this section; may be repeated.", valueName: "name"))
  var section: [String] = []

  @Option(help: ArgumentHelp("How long a case may take.", valueName: "seconds"))
  var limit = 10.0

  @Option(help: ArgumentHelp("How many cases run at once against a server.", valueName: "number"))
  var parallel = 8

  @Flag(help: "List the cases and the text of their requirements, and run none.")
  var list = false

  @Flag(help: "Count what a peer should do, and does not, as a failure.")
  var strict = false

  @Flag(help: "Print one JSON document instead of lines.")
  var json = false

  @Option(help: ArgumentHelp("Write a JUnit report, too.", valueName: "file"))
  var junit: String?

  func validate() throws {
    for id in cases where !Cases.all.contains(where: { $0.id == id }) {
      throw ValidationError("There is no case '\(id)'; --list shows them.")
    }
    for name in section where !Cases.all.contains(where: { $0.section == name }) {
      let names = Cases.all.map(\.section).uniqued().joined(separator: ", ")
      throw ValidationError("There is no section '\(name)'; there are \(names).")
    }
    guard !list else { return }
    guard (address == nil) != (listen == nil) else {
      throw ValidationError("Name a server (HOST:PORT) or a port to listen on (--listen PORT).")
    }
    if let address, Self.hostAndPort(address) == nil {
      throw ValidationError("'\(address)' is not HOST:PORT.")
    }
    if let listen, !(0...65_535).contains(listen) { throw ValidationError("\(listen) is no port.") }
    guard (1...3_600).contains(limit) else { throw ValidationError("--limit takes 1 to 3600 seconds.") }
    guard (1...64).contains(parallel) else { throw ValidationError("--parallel takes 1 to 64.") }
    guard (1...200).contains(serverID.utf8.count), (1...255).contains(cluster.utf8.count) else {
      throw ValidationError("--server-id takes 1 to 200 bytes, --cluster 1 to 255.")
    }
    let subject: Subject = address == nil ? .client : .server
    let method: Method = key == nil ? .none : .sharedKey
    guard chosen.contains(where: { $0.subjects.contains(subject) && $0.methods.contains(method) }) else {
      throw ValidationError(
        "None of the chosen cases concerns a \(subject) \(key == nil ? "without" : "with") a key; --list shows whom "
          + "each does.")
    }
  }

  private var chosen: [ConformanceCase] {
    Cases.all.filter { item in
      (cases.isEmpty && section.isEmpty) || cases.contains(item.id) || section.contains(item.section)
    }
  }

  func run() async throws {
    if list {
      for item in chosen { print(TextReport.listing(item).joined(separator: "\n")) }
      return
    }
    Interruption.ignoreBrokenPipes()
    let junitFile: ReportFile?
    do throws(ReportFile.Unwritable) {
      junitFile = try junit.map { path throws(ReportFile.Unwritable) in try ReportFile(path: path) }
    } catch {
      throw ValidationError("--junit: \(error)")
    }
    let proofKey = try proofKey()
    let target = try await reach()
    let settings = SuiteSettings(
      clusterID: cluster, serverID: serverID, targetID: self.target, group: group,
      hostsSeveralGroups: severalGroups, key: proofKey, caseLimit: .nanoseconds(Int64(limit * 1e9)),
      concurrency: parallel)
    if target.subject == .server { try await makeSureOfServer(target, settings) }
    let isQuiet = json
    let results = await SuiteRunner(target: target, settings: settings).run(chosen) { result in
      guard !isQuiet else { return }
      // Not buffered: whoever reads it through a pipe waits for it.
      let text = TextReport.lines(result).joined(separator: "\n") + "\n"
      try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
    let tally = SuiteTally(results)
    print(json ? try JSONReport.text(results, subject: target.subject) : TextReport.summary(tally))
    do {
      try junitFile?.write(JUnitReport.text(results, subject: target.subject, strict: strict))
    } catch {
      throw ValidationError("--junit: \(error)")
    }
    guard tally.isConforming(strict: strict) else { throw ExitCode.failure }
  }

  private func proofKey() throws -> ProofKey? {
    guard let key else { return nil }
    guard let text = try? String(contentsOfFile: key, encoding: .utf8) else {
      // Not to be repeated, should it be the key itself.
      guard ProofKey(hexadecimal: key) == nil, key.count != 64 else {
        throw ValidationError("--key takes the name of a file, not the key itself.")
      }
      throw ValidationError("--key: '\(key)' cannot be read.")
    }
    guard let proofKey = ProofKey(hexadecimal: text) else {
      #if Authentication
        throw ValidationError("--key: '\(key)' has not the 64 hexadecimal digits of a key.")
      #else
        throw ValidationError("--key: this build was made without keys (the trait Authentication).")
      #endif
    }
    return proofKey
  }

  /// A server that cannot be reached, or has another cluster, would fail every case for the same reason.
  private func makeSureOfServer(_ target: Stage.Target, _ settings: SuiteSettings) async throws {
    let result = await SuiteRunner(target: target, settings: settings).run(Cases.handshakeAlone)
    guard case .failed(let expected, let actual) = result.outcome else { return }
    let text =
      "no connection to test: expected \(expected), but \(actual)\n"
      + "(is the server's cluster '\(cluster)'? --cluster names another one)\n"
    FileHandle.standardError.write(Data(text.utf8))
    throw ExitCode(2)
  }

  private func reach() async throws -> Stage.Target {
    if let (host, port) = address.flatMap(Self.hostAndPort) { return .server(host: host, port: port) }
    let listener: ProbeListener
    do {
      listener = try await ProbeListener.start(host: listenHost, port: listen ?? 0)
    } catch {
      throw ValidationError("--listen: nothing can listen at \(listenHost):\(listen ?? 0): \(error)")
    }
    FileHandle.standardError.write(Data("waiting for a client at \(listenHost):\(listener.port)\n".utf8))
    return .client(listener)
  }

  private static func hostAndPort(_ address: String) -> (String, Int)? {
    guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]),
      (1...65_535).contains(port)
    else { return nil }
    let host = address[..<colon].trimmingPrefix("[")
    return (String(host.hasSuffix("]") ? host.dropLast() : host), port)
  }
}
