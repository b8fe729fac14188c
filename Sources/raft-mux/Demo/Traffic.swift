/// Everything that the leader sends besides its requests for votes.
struct Traffic: Sendable {
  /// One per follower, in their order.
  let logs: [LogSender]
  /// To the first follower only.
  let snapshots: SnapshotSender
  let pace: Pace

  init(cluster: Cluster, files: DemoFiles, batch: Int, pace: Pace) {
    self.logs = cluster.followers.map { follower in
      LogSender(
        leader: cluster.leader, follower: follower.peer, path: files.log, batch: batch, pace: pace)
    }
    self.snapshots = SnapshotSender(
      leader: cluster.leader, follower: cluster.followers[0].peer, path: files.snapshot, pace: pace)
    self.pace = pace
  }

  /// What was sent.
  struct Outcome: Sendable, Equatable {
    /// By the followers' IDs.
    var logs: [String: SentLog] = [:]
    var snapshots = SentSnapshots()
    /// The follower that the snapshots went to.
    var snapshotTarget = ""
  }

  /// Sends all at once; returns when everything was answered or has failed.
  func run() async -> Outcome {
    let snapshots = Task { await self.snapshots.run() }
    // The entries under way are answered soon; a snapshot may take long, so that an interruption ends it.
    self.pace.onInterrupt { snapshots.cancel() }
    var outcome = Outcome(snapshotTarget: self.snapshots.follower.id)
    await withTaskGroup(of: (String, SentLog).self) { group in
      for log in self.logs {
        group.addTask { (log.follower.id, await log.run()) }
      }
      for await (follower, sent) in group { outcome.logs[follower] = sent }
    }
    outcome.snapshots = await snapshots.value
    return outcome
  }
}
