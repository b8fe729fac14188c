import DequeModule
package import NIOCore

/// Runs the jobs of tasks on an event loop.
///
/// A job that is enqueued on the loop itself, as when an answer resumes the task that waits for it, costs no wake-up:
/// it runs in the same turn of the loop, together with all others of that turn.
package final class LoopExecutor: TaskExecutor {
  /// Jobs that run before the loop sends what they left and looks at its sockets again. Tasks which keep each other
  /// busy cannot starve these; and the peer works on the first calls of many while the last ones are still made.
  private static let jobsPerTurn = 32

  /// An event loop runs all tasks that are due, and those that they add, before it looks at its sockets: only one that
  /// is due a little later lets these have their turn.
  static let handOver = TimeAmount.microseconds(10)

  /// Turns in a row after which the sockets have theirs.
  private static let turnsInARow = 8

  private struct Waiting {
    var jobs = Deque<UnownedJob>()
    /// Whether the loop has been told to run what waits.
    var isTurnDue = false
    /// Turns since the loop could look at its sockets.
    var turns = 0
  }

  private let eventLoop: any EventLoop
  /// Jobs that were enqueued on the loop.
  private let waiting: NIOLoopBoundBox<Waiting>

  package init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    waiting = .makeBoxSendingValue(Waiting(), eventLoop: eventLoop)
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    guard eventLoop.inEventLoop else {
      return eventLoop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
    waiting.value.jobs.append(job)
    guard !waiting.value.isTurnDue else { return }
    waiting.value.isTurnDue = true
    eventLoop.assumeIsolated().execute { self.runTurn() }
  }

  private func runTurn() {
    let executor = unsafe asUnownedTaskExecutor()
    var left = Self.jobsPerTurn
    while left > 0, let job = waiting.value.jobs.popFirst() {
      unsafe job.runSynchronously(on: executor)
      left -= 1
    }
    if waiting.value.jobs.isEmpty {
      waiting.value.isTurnDue = false
      waiting.value.turns = 0
    } else if waiting.value.turns < Self.turnsInARow {
      waiting.value.turns += 1
      eventLoop.assumeIsolated().execute { self.runTurn() }
    } else {
      waiting.value.turns = 0
      eventLoop.assumeIsolated().scheduleTask(in: Self.handOver) { self.runTurn() }
    }
  }
}
