import NIOCore

extension AppendEntriesRequest {
  /// Whether this request only says that the leader lives: upstream's predicate of 1.3.7 and newer.
  ///
  /// An empty address counts as none, an empty (not nil) leader counts as a leader, and nil and empty entries are
  /// both no entries, just as the Go code has it.
  package var isHeartbeat: Bool {
    let addressIsGiven = (header.address?.readableBytes ?? 0) > 0
    return term != 0
      && (addressIsGiven || leader != nil)
      && previousLogIndex == 0
      && previousLogTerm == 0
      && (entries?.isEmpty ?? true)
      && leaderCommitIndex == 0
  }
}
