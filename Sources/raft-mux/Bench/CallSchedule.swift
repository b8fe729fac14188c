import Synchronization

/// Says when each of several askers makes its next call.
///
/// At a rate, calls fall due at even distances. A call that comes late because the askers wait for answers counts from
/// the moment when it was due, so that a pause is seen at its whole length and not only by the call that met it.
final class CallSchedule: Sendable {
  let start = ContinuousClock.now
  private let effort: Effort
  private let calls = Atomic(0)

  init(_ effort: Effort) {
    self.effort = effort
  }

  /// Waits until the next call is due.
  ///
  /// - Returns: The moment from which it counts; `nil` when there are no more.
  func next() async throws -> ContinuousClock.Instant? {
    let number = calls.add(1, ordering: .relaxed).oldValue
    let rate = effort.asking.rate
    let now = ContinuousClock.now
    let due = rate > 0 ? start + .seconds(Double(number) / rate) : now
    guard due < start + effort.duration || number < max(effort.asking.leastCalls, 1) else { return nil }
    if due <= now { return due }
    // The pace is what is measured.
    try await Task.sleep(until: due, tolerance: .zero, clock: .continuous)
    return .now
  }
}
