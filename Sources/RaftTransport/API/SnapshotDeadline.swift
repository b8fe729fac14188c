/// How long a snapshot may take.
public struct SnapshotDeadline: Sendable, Hashable {
  enum Rule: Sendable, Hashable {
    case progress(stall: Duration, restore: Duration)
    case upstream(timeoutScale: Int64)
    case none
  }

  let rule: Rule

  /// The transfer may take as long as bytes keep moving; the receiver's restore has a time of its own.
  ///
  /// - Parameters:
  ///   - stall: The longest time without a byte taken by the peer while the transfer runs.
  ///   - restore: The longest time from the last byte sent to the answer.
  public static func progress(
    stall: Duration = .seconds(30), restore: Duration = .seconds(600)
  ) -> SnapshotDeadline {
    SnapshotDeadline(rule: .progress(stall: stall, restore: restore))
  }

  /// hashicorp/raft's rule: one deadline over everything, `timeout * (size / timeoutScale)` with the division first
  /// and rounded down, at least `timeout`.
  ///
  /// - Parameter timeoutScale: Bytes that get one `timeout`; above 0. Upstream's `TimeoutScale`, 256 KiB.
  public static func upstream(timeoutScale: Int64 = 262_144) -> SnapshotDeadline {
    SnapshotDeadline(rule: .upstream(timeoutScale: timeoutScale))
  }

  /// No deadline: only the connection's own liveness ends a snapshot.
  public static let none = SnapshotDeadline(rule: .none)

  /// Upstream's deadline for a snapshot of the given size, with Go's wrapping arithmetic in nanoseconds (a product
  /// that wraps to less than `timeout` counts as `timeout`).
  static func upstreamDeadline(timeout: Duration, size: Int64, timeoutScale: Int64) -> Duration {
    let (seconds, attoseconds) = timeout.components
    let nanoseconds = seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    let scaled = nanoseconds &* (size / timeoutScale)
    return .nanoseconds(max(scaled, nanoseconds))
  }
}
