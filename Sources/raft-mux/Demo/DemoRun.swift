import Crypto
import Foundation
import Synchronization

/// The demo from its first file to its verdict.
struct DemoRun: Sendable {
  let settings: DemoSettings
  let open: OpenTransport

  /// What came of it.
  struct Result: Sendable {
    var verdict: Verdict
    var summary: Summary
    var wasInterrupted: Bool
  }

  /// The name of the demo's cluster.
  static let clusterID = "raft-mux-demo"

  /// The longest that the traffic may go on beyond its time before the nodes are closed under it.
  private static let grace = Duration.seconds(60)

  /// The same after an interruption: what is under way gets a moment.
  private static let graceAfterInterruption = Duration.seconds(5)

  /// Runs the demo. Whatever happens, nodes are closed and made files removed.
  ///
  /// - Throws: ``DemoError`` and errors of files or the transport where the demo cannot begin.
  func run() async throws -> Result {
    let terminal = Terminal(descriptor: self.settings.json ? 2 : 1)
    let files = try DemoFiles.prepare(
      log: self.settings.log, snapshot: self.settings.snapshot, snapshotSize: self.settings.snapshotSize)
    defer { files.remove() }
    let pace = Pace(duration: self.settings.duration)
    let interruption = Interruption(
      onFirst: { pace.interrupt() },
      onSecond: {
        terminal.restore()
        files.remove()
      })
    Interruption.ignoreBrokenPipes()
    defer { withExtendedLifetime(interruption) {} }
    return try await self.run(files: files, pace: pace, terminal: terminal)
  }

  private func run(files: DemoFiles, pace: Pace, terminal: Terminal) async throws -> Result {
    await OpenDescriptors.settleRuntime()
    let before = OpenDescriptors.current()
    let cluster = try await Cluster.start(
      settings: NodeSettings(
        clusterID: Self.clusterID, compression: self.settings.compression, depth: self.settings.depth,
        security: self.settings.security),
      inProcesses: self.settings.inProcesses, open: self.open)
    pace.begin()
    let traffic = Traffic(cluster: cluster, files: files, batch: self.settings.batch, pace: pace)
    let display = Display(cluster: cluster, traffic: traffic, terminal: terminal)
    let showing = Task { await display.run() }
    let guarding = Task { await self.closeWhenOverdue(cluster, pace) }

    var failures: [String] = []
    async let snapshotSHA256 = SHA256.digest(ofFile: files.snapshot)
    do {
      try await cluster.askForVotes()
    } catch {
      failures.append("\(error)")
    }
    let sent = await traffic.run()
    let seconds = Double(pace.elapsed.wholeNanoseconds) / 1e9
    showing.cancel()
    await showing.value
    let (observed, finishFailures) = await cluster.finish()
    display.finish(observed)
    guarding.cancel()
    if await guarding.value { failures.append("not at its end in time: the nodes were closed") }
    let (leftOver, closeFailures) = await cluster.closeAll()

    var leftovers = await Leftovers.settle(
      ports: cluster.ports, processes: cluster.followers.compactMap(\.processID), before: before)
    leftovers.descriptors = leftovers.descriptors.map { $0 + leftOver }
    let facts = DemoFacts(
      followers: cluster.followers.map(\.peer.id), sent: sent, snapshotSHA256: try await snapshotSHA256,
      observed: observed, leftovers: leftovers,
      failures: Self.unique(failures + finishFailures + closeFailures),
      wasInterrupted: pace.isInterrupted)
    let verdict = Verdict(facts)
    return Result(
      verdict: verdict,
      summary: Summary(
        settings: self.settings, files: files, facts: facts, verdict: verdict, seconds: seconds,
        ratio: display.lastSnapshotSeen?.ratio),
      wasInterrupted: pace.isInterrupted)
  }

  /// A process that is gone fails every order; once is enough to say so.
  private static func unique(_ failures: [String]) -> [String] {
    var seen: Set<String> = []
    return failures.filter { seen.insert($0).inserted }
  }

  /// Closes the nodes if the traffic does not come to its end, so that nothing can hang.
  ///
  /// - Returns: Whether it had to; `false` also when cancelled before.
  private func closeWhenOverdue(_ cluster: Cluster, _ pace: Pace) async -> Bool {
    var deadline = pace.start + pace.duration + Self.grace
    var isShortened = false
    while ContinuousClock.now < deadline {
      do {
        // Looks again, since an interruption brings the deadline forward.
        try await Task.sleep(for: .milliseconds(50))
      } catch {
        return false
      }
      if pace.isInterrupted, !isShortened {
        isShortened = true
        deadline = min(deadline, .now + Self.graceAfterInterruption)
      }
    }
    await cluster.closeAll()
    return true
  }
}
