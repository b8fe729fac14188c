package import NIOCore

/// Holds bulk back while enough of it is under way, so that the queue on the path stays short.
///
/// A vote waits behind every byte that left before it. What its own connection has put into the bottleneck's queue is
/// most of that, and no scheduler above TCP can take it back. So DATA of the classes append and snapshot is cut only
/// while what is outstanding (unacknowledged and unsent) is below
///
///     rate x (least round trip + headroom)
///
/// which fills the path and leaves a queue of one headroom. TCP's congestion window stays what it is, below this bound
/// or above it: where the window is the limit, this has nothing to do.
///
/// Three things must be known, and one observation gives each:
/// - *The rate.* While a queue stands, acknowledgements come at the rate of the bottleneck, whatever is under way: such
///   a round measures the rate, up or down. A round without a queue shows no more than a lower bound, so it can only
///   raise the rate. Nothing has to expire: an estimate that is too high makes a queue, and a queue measures.
/// - *More rate.* The headroom itself asks for more: in a round without a queue the bound grows by its share. If none
///   shows up though bulk was held back, the headroom doubles each round. Start-up takes the fastest train of
///   acknowledgements for the rate, until a queue stands, or until three rounds brought nothing.
/// - *The least round trip*, against which a queue is seen. Every few seconds, and whenever a queue stays though no more
///   than the bound is under way, bulk pauses until the queue must be empty. What is measured then is the least
///   round trip, even if it is longer than before: another route, or a queue that is somebody else's.
///
/// LEDBAT holds a queue by delay alone, and its gain depends on the path; BBR paces packets, which an application
/// cannot; Copa's velocity is what the doubling headroom comes from. A bound on what is outstanding needs neither exact
/// timers nor a say in when packets leave.
package struct BulkPacer: Equatable, Sendable {
  package enum Phase: Equatable, Sendable {
    /// Nothing is known of the path yet: nothing is held back.
    case unmeasured
    /// Until a queue stands, or the rate no longer grows.
    case startUp(fastest: Double, roundsWithoutGrowth: Int)
    /// `extra` is the headroom now.
    case steady(extra: TimeAmount)
    /// Bulk pauses until the path's queue must be empty, and a round trip longer.
    case draining(Drain)
    /// The path is too quick for its queue to matter, and for timers to help; `least` is what was seen since.
    case aside(since: NIODeadline, least: TimeAmount)
  }

  package enum Drain: Equatable, Sendable {
    case emptying
    /// Until what was sent before is acknowledged.
    case passing(mark: UInt64)
    case measuring(until: NIODeadline, least: TimeAmount)
  }

  /// The queue that is asked for: long enough for timers and acknowledgements that come in bursts.
  static let headroom = TimeAmount.milliseconds(3)
  /// Below this round trip nothing is held back.
  static let leastRoundTrip = TimeAmount.milliseconds(1)
  static let drainInterval = TimeAmount.seconds(5)
  /// Bytes that may always be under way.
  static let leastBound = 16 * 1_024
  /// Bytes that are worth asking the system about.
  static let sampleBytes = 16 * 1_024

  package private(set) var phase = Phase.unmeasured
  /// The system does not tell about sockets. Figures come seldom then, and a round trip late.
  package private(set) var isBlind = false
  private var round: PacingRound?
  private var lastSample: NIODeadline?
  private var sentAtSample: UInt64 = 0
  private var outstandingAtSample = 0
  private var unsentAtSample = 0
  private var acknowledgedAtSample: UInt64 = 0
  /// Held back since the last sample.
  private var wasHeldSinceSample = false
  private var suspiciousRounds = 0
  private var allowance = PacingAllowance()
  private var lastDrain: NIODeadline?
  /// Bulk waits, and until when.
  package private(set) var heldUntil: NIODeadline?
  /// Pauses of bulk: from a frame that had to wait to the next one that went, however often it was looked at between.
  package private(set) var holds: UInt64 = 0
  private var isPausing = false

  package init() {}

  package var isHolding: Bool { heldUntil != nil }

  private var isAside: Bool { if case .aside = phase { true } else { false } }

  // MARK: Figures

  /// How often the system is asked while bulk is being sent.
  private func interval(_ path: BottleneckModel) -> TimeAmount {
    guard let least = path.leastRoundTrip else { return .milliseconds(1) }
    if isBlind { return least + least + .milliseconds(100) }
    return .nanoseconds(min(max(least.nanoseconds / 16, 1_000_000), 5_000_000))
  }

  /// Whether the system should be asked now.
  ///
  /// - Parameter sent: bytes handed out since the connection began.
  package func wantsFigures(sent: UInt64, bulkWaits: Bool, path: BottleneckModel, now: NIODeadline) -> Bool {
    guard !isBlind else { return false }
    guard let lastSample else { return bulkWaits }
    let pause = isAside ? .milliseconds(20) : interval(path)
    guard now - lastSample >= pause else { return false }
    // What is held back is let go by new figures, not by time alone.
    return bulkWaits || count(from: sentAtSample, to: sent) >= Self.sampleBytes
  }

  /// Takes what the system told.
  package mutating func take(
    _ figures: SocketFigures, sent: UInt64, path: inout BottleneckModel, now: NIODeadline
  ) {
    var figures = figures
    // Estimates of what arrived behind a loss can be too high for a moment.
    figures.acknowledged = max(figures.acknowledged, acknowledgedAtSample)
    acknowledgedAtSample = figures.acknowledged
    let gap = lastSample.map { now - $0 }
    path.sampled(figures, now: now)
    lastSample = now
    sentAtSample = sent
    outstandingAtSample = figures.outstanding
    unsentAtSample = figures.unsent
    heldUntil = nil
    let wasHeld = wasHeldSinceSample
    wasHeldSinceSample = false
    guard let least = path.leastRoundTrip else { return }
    if least < Self.leastRoundTrip { return stepAside(figures, path: &path, now: now) }
    if phase == .unmeasured || isAside { phase = .startUp(fastest: 0, roundsWithoutGrowth: 0) }
    if lastDrain == nil { lastDrain = now }
    // Behind a pause there was nothing to measure.
    if let gap, gap > interval(path) + least + .milliseconds(20) { round = nil }
    follow(figures, wasHeld: wasHeld, isSaturated: wasHeld || figures.unsent > 0, path: &path, now: now)
  }

  /// A route that becomes long is noticed, since the least round trip is measured anew here, too (R-PATH-4).
  private mutating func stepAside(_ figures: SocketFigures, path: inout BottleneckModel, now: NIODeadline) {
    round = nil
    guard case .aside(let since, let seen) = phase else {
      phase = .aside(since: now, least: figures.roundTrip)
      return
    }
    let least = min(seen, figures.roundTrip)
    guard now - since >= Self.drainInterval else {
      phase = .aside(since: since, least: least)
      return
    }
    path.measuredLeast(least)
    phase = .aside(since: now, least: figures.roundTrip)
  }

  /// Whether more has arrived than at the last sample.
  package func hasAdvanced(_ figures: SocketFigures) -> Bool {
    figures.acknowledged > acknowledgedAtSample || figures.outstanding == 0
  }

  /// The system does not tell, and need not be asked again: figures come from answered PINGs.
  package mutating func hasNoFigures() { isBlind = true }

  private mutating func follow(
    _ figures: SocketFigures, wasHeld: Bool, isSaturated: Bool, path: inout BottleneckModel, now: NIODeadline
  ) {
    if var current = round {
      current.saw(figures, bound: bound(path), isSaturated: isSaturated, wasHeld: wasHeld)
      round = current
      if figures.acknowledged >= current.mark {
        endRound(current, figures, path: &path, now: now)
        round = nil
      }
    }
    lookAtQueue(figures, isSaturated: isSaturated, path: &path, now: now)
    followDrain(figures, path: &path, now: now)
    if round == nil { round = PacingRound(figures, now: now) }
  }

  // MARK: Rounds

  private mutating func endRound(
    _ round: PacingRound, _ figures: SocketFigures, path: inout BottleneckModel, now: NIODeadline
  ) {
    guard let rate = round.rate(figures, now: now), let least = path.leastRoundTrip else { return }
    let headroom = headroom(path)
    let hadQueue = round.least > least + .nanoseconds(headroom.nanoseconds / 2)
    if round.isSaturated, hadQueue, round.isWhole(now: now) {
      path.measured(rate)
    } else {
      path.reached(rate)
    }
    switch phase {
    case .startUp(let fastest, let rounds):
      guard round.isSaturated else { return }
      if rate > fastest * 1.25 {
        phase = .startUp(fastest: rate, roundsWithoutGrowth: 0)
      } else if rounds + 1 < 3 {
        phase = .startUp(fastest: fastest, roundsWithoutGrowth: rounds + 1)
      } else {
        phase = .steady(extra: headroom)
      }
    case .steady(let extra):
      if hadQueue {
        phase = .steady(extra: headroom)
      } else if round.wasHeld {
        phase = .steady(extra: min(extra + extra, max(least, headroom)))
      }
      // What is under way explains a queue of the headroom. If there is more, rate or least round trip is wrong; the
      // rate was measured just now, so a second such round leaves the round trip.
      let isSuspicious = round.isSettled && round.least > least + .nanoseconds(headroom.nanoseconds * 5 / 4)
      suspiciousRounds = isSuspicious ? suspiciousRounds + 1 : 0
      if suspiciousRounds >= 2, let lastDrain, now - lastDrain > least * 8 { beginDrain(now) }
    case .draining, .unmeasured, .aside:
      break
    }
  }

  /// The headroom of this path: more where round trips differ by themselves.
  private func headroom(_ path: BottleneckModel) -> TimeAmount {
    let least = path.leastRoundTrip ?? .zero
    let most = least.nanoseconds / 8
    // Seldom figures have to last longer.
    let floor = isBlind ? max(Self.headroom.nanoseconds, min(10_000_000, most)) : Self.headroom.nanoseconds
    return .nanoseconds(max(floor, min(2 * path.variation.nanoseconds, most)))
  }

  /// Does not wait for the end of the round when a queue shows while the bound grows.
  private mutating func lookAtQueue(
    _ figures: SocketFigures, isSaturated: Bool, path: inout BottleneckModel, now: NIODeadline
  ) {
    guard let least = path.leastRoundTrip else { return }
    let headroom = headroom(path)
    guard let standing = path.recentLeast, standing > least + headroom + headroom else { return }
    switch phase {
    case .startUp where isSaturated:
      if let rate = path.recentRate { path.measured(rate) }
      phase = .steady(extra: headroom)
    case .steady(let extra) where extra > headroom:
      phase = .steady(extra: headroom)
    case .startUp, .steady, .draining, .unmeasured, .aside:
      break
    }
  }

  // MARK: Drains

  private mutating func beginDrain(_ now: NIODeadline) {
    suspiciousRounds = 0
    lastDrain = now
    phase = .draining(.emptying)
  }

  private mutating func followDrain(
    _ figures: SocketFigures, path: inout BottleneckModel, now: NIODeadline
  ) {
    switch phase {
    case .steady:
      if let lastDrain, now - lastDrain >= Self.drainInterval { beginDrain(now) }
    case .draining(.emptying):
      // The bound is lower still while emptying, since what is outstanding swings about it.
      guard let rate = path.rate, let least = path.leastRoundTrip,
        Double(figures.outstanding) <= rate * Double(least.nanoseconds) / 1e9 * 0.95
          || figures.outstanding <= Self.leastBound
      else { return }
      phase = .draining(.passing(mark: figures.acknowledged + UInt64(figures.outstanding)))
    case .draining(.passing(let mark)):
      guard figures.acknowledged >= mark else { return }
      let pause = TimeAmount.nanoseconds(max(10_000_000, figures.roundTrip.nanoseconds / 8))
      phase = .draining(.measuring(until: now + pause, least: figures.roundTrip))
    case .draining(.measuring(let end, let seen)):
      let least = min(seen, figures.roundTrip)
      guard now >= end else {
        phase = .draining(.measuring(until: end, least: least))
        return
      }
      path.measuredLeast(least)
      lastDrain = now
      phase = .steady(extra: headroom(path))
    case .unmeasured, .startUp, .aside:
      break
    }
  }

  // MARK: The bound

  /// The rate at which acknowledgements are expected.
  private func rate(_ path: BottleneckModel) -> Double? {
    if case .startUp = phase { return path.fastestTrain > 0 ? path.fastestTrain : nil }
    return path.rate
  }

  /// How much may be outstanding; nil: nothing is held back.
  package func bound(_ path: BottleneckModel) -> Int? {
    guard let bound = pathBound(path) else { return nil }
    // A window in slow start grows though it is not used up, and what it keeps free is for votes: what does not
    // fit into it waits for a round trip.
    guard let window = path.slowStartWindow else { return bound }
    // Half of the smallest window is still some: one that is not used at all would never grow.
    return min(bound, max(window / 2, window - max(4_096, window / 8)))
  }

  private func pathBound(_ path: BottleneckModel) -> Int? {
    guard let least = path.leastRoundTrip else { return nil }
    func bytes(_ rate: Double, _ time: Int64) -> Int {
      max(Self.leastBound, Int(min(rate * Double(time) / 1e9, 1e12)))
    }
    switch phase {
    case .unmeasured, .aside:
      return nil
    case .startUp:
      // Trains show the bottleneck's rate before the path is full. Rare figures show none.
      let limit = path.fastestTrain > 0 && !isBlind ? path.fastestTrain : .infinity
      return bytes(limit, least.nanoseconds + Self.headroom.nanoseconds)
    case .steady(let extra):
      guard let rate = path.rate else { return nil }
      return bytes(rate, least.nanoseconds)
        + max(Int(rate * Double(extra.nanoseconds) / 1e9), 3 * Self.release(rate))
    case .draining(.emptying):
      return path.rate.map { bytes($0, least.nanoseconds * 8 / 10) }
    case .draining:
      return path.rate.map { bytes($0, least.nanoseconds * 9 / 10) }
    }
  }

  /// Whether a frame of bulk may be cut now. If not, `heldUntil` says when to ask again.
  package mutating func permitsBulk(sent: UInt64, path: BottleneckModel, now: NIODeadline) -> Bool {
    let isPermitted = decide(sent: sent, path: path, now: now)
    if !isPermitted, !isPausing { holds += 1 }
    isPausing = !isPermitted
    return isPermitted
  }

  private mutating func decide(sent: UInt64, path: BottleneckModel, now: NIODeadline) -> Bool {
    if let heldUntil, now < heldUntil { return false }
    heldUntil = nil
    guard let bound = bound(path), let lastSample else { return true }
    // Acknowledgements are taken to come at the path's rate, but no longer than until the next sample is due.
    let interval = interval(path)
    if unsentAtSample > 0, unsentAtSample + count(from: sentAtSample, to: sent) >= unsentLimit(path) {
      heldUntil = max(now + .microseconds(200), lastSample + interval)
      return false
    }
    guard let known = rate(path) else { return expectsRoom(sent: sent, bound: bound, now: now) }
    var rate = max(known, Double(Self.leastBound))
    // With rare figures it is what is expected in between that lets bytes go: it must not keep up what shall shrink.
    if case .draining = phase { rate *= 0.8 }
    let age = min(max(now - lastSample, .zero), interval)
    let expected =
      Double(outstandingAtSample) + Double(count(from: sentAtSample, to: sent)) - rate
      * Double(age.nanoseconds) / 1e9
    let excess = expected - Double(bound)
    let most = max(rate / 250, 3 * Double(Self.release(rate)))
    // Seldom figures cannot be paced by: there the bound alone has to do.
    let allowed = isBlind ? most : allowance.renew(sent: sent, speed: speed(path), most: most, now: now)
    let shortage = -allowed * rate / speed(path)
    guard excess >= 0 || shortage >= 0 else { return true }
    wasHeldSinceSample = true
    let wait = Int64(min((max(excess, shortage) + Double(Self.release(rate))) / rate * 1e9, 1e9))
    let soonest = now + (isBlind ? .milliseconds(2) : .microseconds(200))
    heldUntil = max(soonest, min(now + .nanoseconds(wait), lastSample + interval))
    return false
  }

  /// Where the congestion window is the limit, what the system holds unsent waits for acknowledgements, and a system
  /// takes up to a whole segmentation unit (64 KiB) beyond its low-water mark: a quarter of a second at 2 Mb/s. So no
  /// more is handed over than goes until the sample after the next one.
  private func unsentLimit(_ path: BottleneckModel) -> Int {
    guard !isBlind, let rate = path.recentRate ?? path.rate else { return .max }
    return max(4_096, Int(rate * 2 * Double(interval(path).nanoseconds) / 1e9))
  }

  /// Before a rate is known.
  private mutating func expectsRoom(sent: UInt64, bound: Int, now: NIODeadline) -> Bool {
    guard outstandingAtSample + count(from: sentAtSample, to: sent) >= bound else { return true }
    wasHeldSinceSample = true
    heldUntil = now + .milliseconds(1)
    return false
  }

  private func count(from start: UInt64, to end: UInt64) -> Int {
    end > start ? Int(clamping: end - start) : 0
  }

  /// How fast bulk may go, in bytes per second. The bound alone would let go at once what a credit, a pause or a late
  /// wake-up had kept back, and that much would stand in the queue for a round trip.
  private func speed(_ path: BottleneckModel) -> Double {
    let rate = max(rate(path) ?? 0, Double(Self.leastBound))
    guard let least = path.leastRoundTrip, least > .zero else { return rate * 2 }
    switch phase {
    case .steady(let extra):
      return rate * (1 + max(0.125, Double(extra.nanoseconds) / Double(least.nanoseconds)))
    case .draining:
      return rate * 1.125
    case .startUp, .unmeasured, .aside:
      return rate * 2
    }
  }

  /// What is let go at once: a millisecond's worth, so that a fast path does not cost a wake-up for each frame.
  private static func release(_ rate: Double) -> Int { max(2_048, Int(rate / 1_000)) }

  /// Bytes that may lie between the scheduler and the path, and the most that one frame of bulk should hold.
  package func burst(_ path: BottleneckModel) -> Int {
    switch phase {
    case .unmeasured: return 128 * 1_024
    // A path like this is as fast as writes are large, but no vote should wait longer for it: a quarter of a
    // millisecond.
    case .aside: return Int(min(max(path.fastestTrain / 4_000, 128 * 1_024), 512 * 1_024))
    case .startUp: return Int(min(max((path.rate ?? 0) / 500, 16_384), 128 * 1_024))
    case .steady, .draining: return Int(min(max((path.rate ?? 0) / 1_000, 4_096), 128 * 1_024))
    }
  }

  /// Held bulk is looked at again.
  package mutating func handleTimeout(now: NIODeadline) {
    if let heldUntil, heldUntil <= now { self.heldUntil = nil }
  }
}
