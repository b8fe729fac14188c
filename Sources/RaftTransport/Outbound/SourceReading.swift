import NIOCore

/// The task that reads a snapshot's source.
struct SourceReading {
  /// How long a call that is over waits for its source to let go: when it returns, the user may close what the source
  /// reads from. A source that takes longer does not heed cancellation, and is left behind.
  static let patience = TimeAmount.seconds(1)

  private let task: Task<Void, Never>
  private let ended = CallResult<Void>()

  init(_ read: @escaping @Sendable () async -> Void) {
    let ended = ended
    task = Task<Void, Never>.onSameExecutor {
      await read()
      ended.complete(.success(()))
    }
  }

  /// Cancels the task and waits for its end, but not for long.
  func end(on eventLoop: any EventLoop) async {
    task.cancel()
    let ended = ended
    let timer = eventLoop.scheduleTask(in: Self.patience) { ended.complete(.success(())) }
    // The caller's own cancellation changes nothing here: the reading was cancelled before.
    try? await ended.value(onCancel: {})
    timer.cancel()
  }
}
