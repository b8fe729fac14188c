internal import HeapModule
internal import StreamMux

/// The clock of a simulation, and the order in which things happen.
///
/// One thread runs everything: it takes the event that is due first, of all event loops, sets the clock to it and runs
/// it. Where several are due at once a generator decides, so that a seed stands for one interleaving.
final class VirtualTime: @unchecked Sendable {
  // Confined to the thread that runs the simulation.
  /// Nanoseconds since the beginning.
  private(set) var now: Int64 = 0
  /// The loop whose event runs.
  private(set) var current: SimulatedEventLoop?
  /// Events that have run.
  private(set) var eventCount: UInt64 = 0
  /// A number that follows from which loop ran when: two runs with the same one were the same run.
  private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
  private var loops: [SimulatedEventLoop] = []
  private var random: SplitMix64

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
  }

  func add(_ loop: SimulatedEventLoop) {
    loops.append(loop)
  }

  /// Forgets a loop on which nothing is left to do.
  func remove(_ loop: SimulatedEventLoop) {
    loops.removeAll { $0 === loop }
  }

  /// Runs what is due first, unless that is after `limit`; then the clock is set to `limit`.
  ///
  /// - Returns: Whether there was anything to run.
  func runNext(until limit: Int64) -> Bool {
    var due: SimulatedEventLoop?
    var first = limit
    var count: UInt64 = 0
    for loop in loops {
      guard let time = loop.nextTime, time <= first else { continue }
      count = time < first ? 1 : count + 1
      first = time
      // Each of those that are due at once is as likely as the others.
      if count == 1 || UInt64.random(in: 0..<count, using: &random) == 0 { due = loop }
    }
    guard let loop = due else {
      now = max(now, limit)
      return false
    }
    now = max(now, first)
    eventCount += 1
    note(UInt64(bitPattern: now) ^ loop.number << 48)
    // A loop is busy for a moment with each event, so that no cycle of events can stop the clock.
    loop.busyUntil = now + Int64.random(in: 200...2_000, using: &random)
    current = loop
    loop.runFirst()
    current = nil
    return true
  }

  /// Runs all that is due until a time.
  func run(until limit: Int64) {
    while runNext(until: limit) {}
  }

  /// Makes something a part of the digest.
  func note(_ value: UInt64) {
    digest = (digest ^ value) &* 0x0000_0100_0000_01B3
    digest ^= digest >> 29
  }
}

/// One thing that is to happen on an event loop at a time.
final class SimulatedEvent: Comparable {
  let time: Int64
  let order: UInt64
  /// `nil` when it has run or was taken back.
  private(set) var action: (() -> Void)?

  init(time: Int64, order: UInt64, action: @escaping () -> Void) {
    self.time = time
    self.order = order
    self.action = action
  }

  func take() -> (() -> Void)? { action.take() }

  static func == (left: SimulatedEvent, right: SimulatedEvent) -> Bool { left === right }

  static func < (left: SimulatedEvent, right: SimulatedEvent) -> Bool {
    (left.time, left.order) < (right.time, right.order)
  }
}
