import Synchronization

/// Shows the demo while it runs, and remembers what can be seen only then.
final class Display: Sendable {
  /// How it is shown.
  enum Manner: Sendable {
    /// A table that is drawn anew in place.
    case table
    /// Lines once a second.
    case lines
  }

  private let cluster: Cluster
  private let traffic: Traffic
  private let terminal: Terminal
  private let manner: Manner
  private let lastSnapshot = Mutex<ConnectionObservation.OutgoingSnapshot?>(nil)

  init(cluster: Cluster, traffic: Traffic, terminal: Terminal) {
    self.cluster = cluster
    self.traffic = traffic
    self.terminal = terminal
    self.manner = terminal.isInteractive ? .table : .lines
  }

  /// The last that was seen of a snapshot on its way; statistics forget it when it has arrived.
  var lastSnapshotSeen: ConnectionObservation.OutgoingSnapshot? { self.lastSnapshot.withLock { $0 } }

  /// Shows what the nodes do until the task is cancelled.
  func run() async {
    let pause = Duration.milliseconds(100)
    var turn = 0
    var nextLines = 1.0
    while true {
      do {
        // The pace of the picture.
        try await Task.sleep(for: pause)
      } catch {
        return
      }
      turn += 1
      let observation = await self.cluster.observe()
      let rows = self.rows(observation)
      if let snapshot = rows.compactMap(\.snapshot).first { self.lastSnapshot.withLock { $0 = snapshot } }
      switch self.manner {
      case .table:
        // Faster than this, figures cannot be read.
        if turn % 2 == 0 { self.draw(observation, rows) }
      case .lines:
        guard self.seconds >= nextLines else { continue }
        nextLines = self.seconds.rounded(.down) + 1
        for line in LiveTable.plainLines(seconds: self.seconds, rows: rows) { self.terminal.print(line) }
      }
    }
  }

  /// Draws the table a last time, from what was seen at the end, and leaves it.
  func finish(_ observation: ClusterObservation) {
    if self.manner == .table { self.draw(observation, self.rows(observation)) }
    self.terminal.restore()
  }

  private var seconds: Double { Double(self.traffic.pace.elapsed.wholeNanoseconds) / 1e9 }

  private func rows(_ observation: ClusterObservation) -> [PeerRow] {
    PeerRow.rows(observation, followers: self.cluster.followers.map(\.peer.id))
  }

  private func draw(_ observation: ClusterObservation, _ rows: [PeerRow]) {
    let title = "raft-mux demo, \(Figures.fixed(self.seconds, digits: 1)) s"
    var progress = self.traffic.logs.map { log in
      let sent = log.sent
      let received = observation.nodes[log.follower.id]?.log.entries ?? 0
      return "log to \(log.follower.id)  \(Figures.count(sent.entries)) entries sent, "
        + "\(Figures.count(received)) taken, \(sent.passes) times through the file"
    }
    let target = self.traffic.snapshots.follower.id
    if let taken = observation.nodes[target]?.snapshots {
      progress.append(
        "snapshots at \(target)  \(taken.completed) whole, \(Figures.bytes(taken.bytes)) taken in all")
    }
    self.terminal.draw(LiveTable.lines(title: title, rows: rows, progress: progress))
  }
}
