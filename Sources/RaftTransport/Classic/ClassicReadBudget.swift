/// Decides which connections of old peers may be read, so that what all of them hold stays bounded (R-CLS-9).
///
/// Every connection may hold a little, so that no append keeps a vote out. Beyond that they share a budget; when that
/// is used up, one connection at a time goes on to the end of its message, so that half messages cannot starve each
/// other.
struct ClassicReadBudget<Key: Hashable> {
  /// What every connection may hold in any case, in bytes.
  let freeBytes: Int
  /// Of so many bytes a request is made in any case.
  let freeRequestBytes: Int
  /// What all may hold together, in bytes; two messages may come on top: the one that reaches the limit, and one of a
  /// connection that goes on beyond it.
  let limit: Int
  private var held: [Key: Int] = [:]
  private(set) var total = 0
  /// The connection that may go beyond the limit.
  private(set) var overdrawn: Key?

  init(limit: Int, freeBytes: Int = 64 * 1_024, freeRequestBytes: Int = 1_024) {
    self.limit = limit
    self.freeRequestBytes = freeRequestBytes
    self.freeBytes = freeBytes
  }

  /// Notes what a connection holds now.
  ///
  /// - Returns: Whether there is more room than before, for those that wait.
  mutating func update(_ key: Key, holds bytes: Int) -> Bool {
    let before = held[key] ?? 0
    held[key] = bytes == 0 ? nil : bytes
    total += bytes - before
    // Also if it was let go on for bytes that never became its own.
    if overdrawn == key, bytes < freeBytes {
      overdrawn = nil
      return true
    }
    return bytes < before
  }

  /// Whether more bytes of a connection may be read.
  mutating func mayRead(_ key: Key) -> Bool {
    held[key, default: 0] < freeBytes || mayOverdraw(key)
  }

  /// Whether a request may be made of bytes that are here, which may take a hundred times as much. A vote and a heartbeat
  /// are small enough in any case.
  mutating func mayDecode(_ key: Key, of byteCount: Int) -> Bool {
    byteCount <= freeRequestBytes || mayOverdraw(key)
  }

  private mutating func mayOverdraw(_ key: Key) -> Bool {
    if total < limit || overdrawn == key { return true }
    guard overdrawn == nil else { return false }
    overdrawn = key
    return true
  }
}
