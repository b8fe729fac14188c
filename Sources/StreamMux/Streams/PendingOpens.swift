internal import DequeModule

/// Streams that the owner opened and the peer's stream credit (or our own memory budget) does not admit yet.
///
/// One queue per class (R-FLW-30), first come, first served: votes do not wait for appends. A stream that is
/// cancelled while it waits is skipped when its turn comes. Which ones still wait the stream table knows: it
/// is handed in and never kept, because a second reference would make the next change of a stream copy the
/// whole table.
package struct PendingOpens: Sendable {
  package let capacity: Int
  /// Streams that wait, of all classes.
  package private(set) var count = 0
  private var queues = PerClass<Deque<StreamKey>> { _ in [] }
  /// Entries of each queue whose stream still waits.
  private var live = PerClass<Int> { _ in 0 }

  package init(capacity: Int) {
    precondition(capacity >= 0)
    self.capacity = capacity
  }

  package var isFull: Bool { count >= capacity }

  package func isEmpty(_ trafficClass: TrafficClass) -> Bool { live[trafficClass] == 0 }

  /// Entries of a queue, with those that were cancelled and not skipped yet.
  func entries(_ trafficClass: TrafficClass) -> Int { queues[trafficClass].count }

  package mutating func append(_ key: StreamKey, _ trafficClass: TrafficClass) {
    precondition(!isFull, "the owner is told before")
    queues[trafficClass].append(key)
    live[trafficClass] += 1
    count += 1
  }

  /// A stream that waited was cancelled.
  mutating func cancel(_ trafficClass: TrafficClass, in table: StreamTable) {
    precondition(live[trafficClass] > 0)
    live[trafficClass] -= 1
    count -= 1
    // Cancelled entries are skipped lazily, but must not pile up behind one that waits for long.
    if queues[trafficClass].count > 2 * live[trafficClass] + 16 {
      queues[trafficClass].removeAll { !table.isWaiting($0) }
    }
  }

  /// The stream that is next in its class, without the ones that were cancelled.
  mutating func first(_ trafficClass: TrafficClass, in table: StreamTable) -> StreamKey? {
    while let key = queues[trafficClass].first {
      if table.isWaiting(key) { return key }
      queues[trafficClass].removeFirst()
    }
    return nil
  }

  /// The stream that `first` returned is admitted.
  package mutating func removeFirst(_ trafficClass: TrafficClass) {
    queues[trafficClass].removeFirst()
    live[trafficClass] -= 1
    count -= 1
  }
}
