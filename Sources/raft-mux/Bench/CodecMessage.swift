/// A message whose codec is measured.
enum CodecMessage: String, Sendable, CaseIterable {
  case append1x256 = "append-1x256"
  case append64x256 = "append-64x256"
  case appendResponse = "append-response"
  case heartbeat
  case vote
  case voteResponse = "vote-response"
  case snapshot
  case snapshotResponse = "snapshot-response"
  case preVote = "pre-vote"
  case timeoutNow = "timeout-now"

  var about: String {
    switch self {
    case .append1x256: "an AppendEntries request of 1 x 256 B"
    case .append64x256: "an AppendEntries request of 64 x 256 B"
    case .appendResponse: "an AppendEntries response"
    case .heartbeat: "a heartbeat"
    case .vote: "a RequestVote request"
    case .voteResponse: "a RequestVote response"
    case .snapshot: "an InstallSnapshot request, without the snapshot"
    case .snapshotResponse: "an InstallSnapshot response"
    case .preVote: "a RequestPreVote request"
    case .timeoutNow: "a TimeoutNow request"
    }
  }
}
