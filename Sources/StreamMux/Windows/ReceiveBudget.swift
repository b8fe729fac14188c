/// What the windows of all live streams may add up to, in bytes.
///
/// Each stream is promised its initial window, so a stream for which none is left is refused (if the peer
/// opened it) or waits (if it is our own). Election streams have a reserve of their own, which their stream
/// credit bounds, and never ask here: a vote must not fail because appends took the memory
/// (R-FLW-25 to R-FLW-27).
package struct ReceiveBudget: Hashable, Sendable {
  package let limit: Int
  package private(set) var reserved = 0

  package init(limit: Int) {
    precondition(limit >= 0)
    self.limit = limit
  }

  /// Whether ``reserve(_:for:)`` would succeed.
  package func hasRoom(for window: UInt32, _ trafficClass: TrafficClass) -> Bool {
    guard trafficClass != .election else { return true }
    let (sum, overflow) = reserved.addingReportingOverflow(Int(window))
    return !overflow && sum <= limit
  }

  /// Takes `window` bytes for a stream. False: there is no room, and nothing was taken.
  package mutating func reserve(_ window: UInt32, for trafficClass: TrafficClass) -> Bool {
    guard hasRoom(for: window, trafficClass) else { return false }
    if trafficClass != .election { reserved += Int(window) }
    return true
  }

  package mutating func release(_ window: UInt32, for trafficClass: TrafficClass) {
    guard trafficClass != .election else { return }
    precondition(Int(window) <= reserved, "more released than was reserved")
    reserved -= Int(window)
  }
}
