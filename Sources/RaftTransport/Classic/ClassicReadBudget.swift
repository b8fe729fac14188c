/// Decides which connections of old peers may be read, so that what all of them hold stays bounded (R-CLS-9).
///
/// Every connection may hold a little, so that no append keeps a vote out. Beyond that they share a budget; when that
/// is used up, one connection at a time goes on to the end of its message, so that half messages cannot starve each
/// other.
struct ClassicReadBudget<Key: Hashable> {
  /// What every connection may hold in any case, in bytes.
  let freeBytes: Int
  /// What all may hold together, in bytes; one message may come on top.
  let limit: Int
  private var held: [Key: Int] = [:]
  private(set) var total = 0
  /// The connection that may go beyond the limit.
  private(set) var overdrawn: Key?

  init(limit: Int, freeBytes: Int = 64 * 1_024) {
    self.limit = limit
    self.freeBytes = freeBytes
  }

  /// Notes what a connection holds now.
  ///
  /// - Returns: Whether there is more room than before, for those that wait.
  mutating func update(_ key: Key, holds bytes: Int) -> Bool {
    let before = held[key] ?? 0
    guard bytes != before else { return false }
    held[key] = bytes == 0 ? nil : bytes
    total += bytes - before
    if overdrawn == key, bytes < freeBytes {
      overdrawn = nil
      return true
    }
    return bytes < before
  }

  /// Whether more bytes of a connection may be read.
  mutating func mayRead(_ key: Key) -> Bool {
    if held[key, default: 0] < freeBytes || total < limit || overdrawn == key { return true }
    guard overdrawn == nil else { return false }
    overdrawn = key
    return true
  }
}
