internal import DequeModule
package import NIOCore

/// Which stream sends the next frame.
///
/// Elections go first as long as their allowance lasts. Appends and snapshots share what is left by deficit
/// round robin, 8 to 1; streams of a class take turns. Control frames stand before all of this and are not
/// known here.
///
/// A ring holds the streams that had something to send when they were put in. One that lost its reason
/// meanwhile is found out when its turn comes (lazy deletion), so that nothing here depends on the number
/// of streams. A stream is in at most one ring: its record says so.
///
/// R-SCH-2 to R-SCH-5, R-SCH-10.
package struct Scheduler: Sendable {
  package struct Pick: Hashable, Sendable {
    package let key: StreamKey
    /// What the frame is charged to.
    package let ring: TrafficClass
  }

  private var elections: Deque<StreamKey> = []
  private var appends: Deque<StreamKey> = []
  private var snapshots: Deque<StreamKey> = []
  private var appendDeficit = 0
  private var snapshotDeficit = 0
  /// Which bulk class is being served.
  private var isSnapshotTurn = false
  private var allowance: ElectionAllowance
  /// At most so many entries are of forgotten streams.
  private var stale = 0
  /// Bytes that each bulk class earns per round.
  private let appendShare: Int
  private let snapshotShare: Int
  /// The deepest debt: one frame's worth, so that a class cannot gain by falling silent for a moment.
  private let leastDeficit: Int

  package init(limits: SchedulingLimits, now: NIODeadline) {
    allowance = ElectionAllowance(
      burst: limits.electionBurst, bytesPerSecond: limits.electionRate, now: now)
    appendShare = limits.quantum * limits.appendWeight
    snapshotShare = limits.quantum * limits.snapshotWeight
    leastDeficit = -ProtocolConstants.largestFramePayload
  }

  /// No stream waits. Some of those that wait may have lost their reason.
  package var isEmpty: Bool { elections.isEmpty && appends.isEmpty && snapshots.isEmpty }

  /// A stream waits for its turn among the appends and snapshots.
  package var hasBulk: Bool { !appends.isEmpty || !snapshots.isEmpty }

  package var hasElections: Bool { !elections.isEmpty }

  package var count: Int { elections.count + appends.count + snapshots.count }

  package mutating func enqueue(_ key: StreamKey, in ring: TrafficClass) {
    switch ring {
    case .election: elections.append(key)
    case .append: appends.append(key)
    case .snapshot: snapshots.append(key)
    }
  }

  /// Takes the next stream out of its ring. The caller checks that it still has something to send, charges
  /// the frame, and puts the stream back if there is more.
  package mutating func next(now: NIODeadline) -> Pick? {
    nextElection(now: now) ?? nextBulk()
  }

  package mutating func nextElection(now: NIODeadline) -> Pick? {
    guard !elections.isEmpty else { return nil }
    if allowance.permits(at: now), let key = elections.popFirst() {
      return Pick(key: key, ring: .election)
    }
    // Too many: they take their turn among the appends, once.
    while let key = elections.popFirst() { appends.append(key) }
    return nil
  }

  package mutating func nextBulk() -> Pick? {
    if snapshots.isEmpty {
      snapshotDeficit = min(snapshotDeficit, 0)
      isSnapshotTurn = false
      return appends.popFirst().map { Pick(key: $0, ring: .append) }
    }
    if appends.isEmpty {
      appendDeficit = min(appendDeficit, 0)
      isSnapshotTurn = true
      return snapshots.popFirst().map { Pick(key: $0, ring: .snapshot) }
    }
    while true {
      if isSnapshotTurn {
        if snapshotDeficit > 0, let key = snapshots.popFirst() { return Pick(key: key, ring: .snapshot) }
        isSnapshotTurn = false
        appendDeficit += appendShare
      } else {
        if appendDeficit > 0, let key = appends.popFirst() { return Pick(key: key, ring: .append) }
        isSnapshotTurn = true
        snapshotDeficit += snapshotShare
      }
    }
  }

  /// A frame of this many bytes was cut for the pick.
  package mutating func charge(_ bytes: Int, to ring: TrafficClass) {
    // What a class sends alone is no debt to one that has nothing to send: hence the bound.
    switch ring {
    case .election: allowance.charge(bytes)
    case .append: appendDeficit = max(leastDeficit, appendDeficit - bytes)
    case .snapshot: snapshotDeficit = max(leastDeficit, snapshotDeficit - bytes)
    }
  }

  /// A stream in a ring was forgotten: its entry is found out lazily, but such entries must not pile up while
  /// the socket does not move.
  mutating func streamWasForgotten(by table: StreamTable) {
    stale += 1
    guard stale > 64, stale > count / 2 else { return }
    stale = 0
    elections.removeAll { !table.contains($0) }
    appends.removeAll { !table.contains($0) }
    snapshots.removeAll { !table.contains($0) }
  }

  package mutating func removeAll() {
    stale = 0
    elections.removeAll()
    appends.removeAll()
    snapshots.removeAll()
  }
}
