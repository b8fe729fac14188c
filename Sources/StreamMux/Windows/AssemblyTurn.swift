internal import DequeModule

/// Which stream may go beyond its window to finish a message.
///
/// A message has no length in front and may be larger than any window. If several half-built messages went
/// beyond their windows at once, they could use up the memory together without one of them ever becoming
/// complete. So one stream at a time has the turn, first come, first served, within a budget for all bytes
/// that were credited while held (R-FLW-12 to R-FLW-15).
package struct AssemblyTurn: Sendable {
  /// Bytes of all streams that may be credited while they are held.
  package let budget: Int
  /// Bytes that are credited while they are held.
  package private(set) var credited = 0
  package private(set) var holder: StreamKey?
  /// Who waits, in order. Who gave up is skipped when its turn comes.
  private var queue: Deque<StreamKey> = []
  private var waiting: Set<StreamKey> = []

  package init(budget: Int) {
    precondition(budget >= 0)
    self.budget = budget
  }

  /// Asks for the turn. True: `key` has it now.
  package mutating func request(_ key: StreamKey) -> Bool {
    if holder == key { return true }
    if holder == nil {
      holder = key
      return true
    }
    if waiting.insert(key).inserted { queue.append(key) }
    return false
  }

  /// Takes up to `wanted` bytes of the budget for the holder.
  package mutating func credit(upTo wanted: Int) -> Int {
    let granted = max(0, min(wanted, budget - credited))
    credited += granted
    return granted
  }

  /// Bytes that were credited while held were consumed or thrown away.
  package mutating func uncredit(_ count: Int) {
    precondition(count >= 0 && count <= credited, "more bytes uncredited than were credited")
    credited -= count
  }

  /// `key` needs the turn no longer. Returns the stream that has it now if it is another one than before.
  package mutating func giveUp(_ key: StreamKey) -> StreamKey? {
    guard holder == key else {
      if waiting.remove(key) != nil { compactIfSparse() }
      return nil
    }
    holder = nil
    while let next = queue.popFirst() {
      guard waiting.remove(next) != nil else { continue }
      holder = next
      return next
    }
    return nil
  }

  /// Entries of the queue, with those that gave up and were not skipped yet.
  var waitingEntries: Int { queue.count }

  /// A stream that asks and gives up again and again must not make the queue grow.
  private mutating func compactIfSparse() {
    guard queue.count > 2 * waiting.count + 16 else { return }
    var seen: Set<StreamKey> = []
    let live = waiting
    queue.removeAll { !live.contains($0) || !seen.insert($0).inserted }
  }
}
