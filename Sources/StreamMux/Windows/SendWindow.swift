/// How far this side may send on one stream.
///
/// Credit is absolute: the peer states how many bytes of the stream it will take in all. So a credit that
/// is lost, repeated or late does no harm, and nothing can be added up wrongly (R-FLW-1, R-FLW-4).
package struct SendWindow: Hashable, Sendable {
  /// Bytes of the stream that the peer takes in all.
  package private(set) var limit: UInt64
  /// Bytes of the stream that were framed so far. Never more than `limit`.
  package private(set) var sent: UInt64 = 0

  package init(initial: UInt32) {
    limit = UInt64(initial)
  }

  /// Bytes that may be framed now.
  package var available: Int { Int(clamping: limit - sent) }

  package mutating func send(_ count: Int) {
    precondition(count >= 0 && count <= available, "more bytes framed than the window allows")
    sent += UInt64(count)
  }

  /// The peer's CREDIT. Returns whether it changed anything; a limit that does not grow is stale.
  package mutating func raise(to newLimit: UInt64) -> Bool {
    guard newLimit > limit else { return false }
    limit = newLimit
    return true
  }
}
