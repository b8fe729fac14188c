/// The byte in front of every request that says which one it is (R-PAY-1, R-PAY-2).
public enum RPCType: UInt8, Sendable, Hashable, CaseIterable {
  case appendEntries = 0
  case requestVote = 1
  case installSnapshot = 2
  case timeoutNow = 3
  /// 1.7 and later; older peers close the connection on it.
  case requestPreVote = 4
}
