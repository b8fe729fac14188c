/// What the windows of all live streams may add up to, in bytes.
///
/// Each stream is promised its initial window, so a stream for which none is left is refused (if the peer
/// opened it) or waits (if it is our own). Election streams have a reserve of their own, which their stream
/// credit bounds, and never ask here: a vote must not fail because appends took the memory
/// (R-FLW-25 to R-FLW-27).
package struct ReceiveBudget: Hashable, Sendable {
  package let limit: Int
  package private(set) var reserved = 0
  /// What windows have grown beyond their initial size, of all streams together, part of ``reserved``.
  package private(set) var grown = 0

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

  /// Bytes by which windows may still grow. At most half of the budget is ever used for that: the rest is for
  /// the initial windows of streams to come, so that a large snapshot does not keep appends out.
  package var roomToGrow: Int { max(0, min(limit / 2 - grown, limit - reserved)) }

  /// Takes up to `wanted` bytes for a window that grows, and returns how many.
  package mutating func grow(by wanted: Int) -> Int {
    let granted = max(0, min(wanted, roomToGrow))
    grown += granted
    reserved += granted
    return granted
  }

  /// Gives back what a window had grown.
  package mutating func shrink(by count: Int) {
    precondition(count >= 0 && count <= grown, "more given back than was taken")
    grown -= count
    reserved -= count
  }

  package mutating func release(_ window: UInt32, for trafficClass: TrafficClass) {
    guard trafficClass != .election else { return }
    precondition(Int(window) <= reserved, "more released than was reserved")
    reserved -= Int(window)
  }
}
