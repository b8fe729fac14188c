/// What the user wants to see.
struct DemoSettings: Sendable, Equatable {
  /// Whether each follower runs in a process of its own.
  var inProcesses: Bool
  /// The user's files; `nil` where the demo makes one.
  var log: String?
  var snapshot: String?
  /// The length of a made snapshot in bytes.
  var snapshotSize: Int
  /// How long to send; log and snapshot go out once at least, even with 0.
  var duration: Duration
  var compression: CompressionChoice
  /// AppendEntries requests under way at once per follower.
  var depth: Int
  /// Entries per AppendEntries request.
  var batch: Int
  var security = SecurityChoice.plaintext
  /// Whether standard output gets the summary as JSON and nothing else.
  var json: Bool
}
