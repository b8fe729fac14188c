import Synchronization

/// When the demo's traffic comes to its end: after its time, or earlier because someone wants it to.
final class Pace: Sendable {
  private struct State {
    var start = ContinuousClock.now
    var isInterrupted = false
    var isCutShort = false
    var onInterrupt: [@Sendable () -> Void] = []
  }

  let duration: Duration
  private let state = Mutex(State())

  init(duration: Duration) {
    self.duration = duration
  }

  /// When the traffic began.
  var start: ContinuousClock.Instant { self.state.withLock { $0.start } }

  /// How long the traffic has been running.
  var elapsed: Duration { .now - self.start }

  /// The traffic begins now; what was before (making files, starting nodes) does not count.
  func begin() {
    self.state.withLock { $0.start = .now }
  }

  /// Whether there is time for another pass over the log or another snapshot.
  var hasTimeLeft: Bool {
    self.state.withLock { !$0.isInterrupted && !$0.isCutShort } && self.elapsed < self.duration
  }

  /// Whether the traffic is to end before its time.
  var isInterrupted: Bool { self.state.withLock { $0.isInterrupted } }

  /// Something failed: what was begun is finished, and nothing else is.
  func cutShort() {
    self.state.withLock { $0.isCutShort = true }
  }

  /// Ends the traffic as soon as what is under way allows.
  func interrupt() {
    let actions = self.state.withLock { state in
      state.isInterrupted = true
      defer { state.onInterrupt = [] }
      return state.onInterrupt
    }
    for action in actions { action() }
  }

  /// Runs an action when the traffic is interrupted; at once, if it has been.
  func onInterrupt(_ action: @escaping @Sendable () -> Void) {
    let isTooLate = self.state.withLock { state in
      if !state.isInterrupted { state.onInterrupt.append(action) }
      return state.isInterrupted
    }
    if isTooLate { action() }
  }
}
