import Foundation

/// What `--json` prints: the whole demo as one object.
struct Summary: Codable, Sendable, Equatable {
  /// `one process` or `three processes`.
  var mode: String
  var compression: CompressionChoice
  var depth: Int
  var batch: Int
  /// From the start of the traffic to its last answer.
  var seconds: Double
  /// Where log and snapshot came from.
  var files: String
  var peers: [PeerRow]
  var logs: [Log]
  var snapshot: Snapshot
  /// By `node/node`; `nil` where the system does not say.
  var connections: [String: Int]?
  var verdict: [Verdict.Point]
  var isKept: Bool
  var wasInterrupted: Bool

  struct Log: Codable, Sendable, Equatable {
    var follower: String
    var entries: UInt64
    var bytes: UInt64
    var requests: Int
    var passes: Int
    var sentSHA256: String
    var receivedSHA256: String?
  }

  struct Snapshot: Codable, Sendable, Equatable {
    var follower: String
    var size: Int64
    var completed: Int
    var megabytesPerSecond: Double?
    /// Bytes on the wire per plain byte, as last seen under way.
    var ratio: Double?
    var sentSHA256: String
    var receivedSHA256: [String]
  }

  init(
    settings: DemoSettings, files: DemoFiles, facts: DemoFacts, verdict: Verdict, seconds: Double,
    ratio: Double?
  ) {
    self.mode = settings.inProcesses ? "three processes" : "one process"
    self.compression = settings.compression
    self.depth = settings.depth
    self.batch = settings.batch
    self.seconds = seconds
    self.files = files.origin
    self.peers = PeerRow.rows(facts.observed, followers: facts.followers)
    self.logs = facts.followers.map { follower in
      let sent = facts.sent.logs[follower] ?? SentLog()
      return Log(
        follower: follower, entries: sent.entries, bytes: sent.bytes, requests: sent.requests,
        passes: sent.passes, sentSHA256: sent.sha256,
        receivedSHA256: facts.observed.nodes[follower]?.log.sha256)
    }
    let sent = facts.sent.snapshots
    self.snapshot = Snapshot(
      follower: facts.sent.snapshotTarget,
      size: sent.size,
      completed: sent.completed,
      megabytesPerSecond: sent.seconds > 0
        ? Double(sent.size) * Double(sent.completed) / sent.seconds / 1e6 : nil,
      ratio: ratio,
      sentSHA256: facts.snapshotSHA256,
      receivedSHA256: facts.observed.nodes[facts.sent.snapshotTarget]?.snapshots.sha256 ?? []
    )
    self.connections = facts.observed.connections.map { count in
      Dictionary(uniqueKeysWithValues: count.byPair.map { ("\($0.key)", $0.value) })
    }
    self.verdict = verdict.points
    self.isKept = verdict.isKept
    self.wasInterrupted = facts.wasInterrupted
  }

  /// The object as text, without a line's end.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
