/// A task that waits for one value.
///
/// Whoever has taken a waiter out of where it was kept, which happens under a lock and so once, resumes it: nothing is
/// left for a checked continuation to check. Every move of one would look up its type at run time and cost more than
/// the rest of a call.
@safe
struct Waiter<Value: Sendable>: Sendable {
  private let continuation: UnsafeContinuation<Value, Never>

  func resume(returning value: Value) {
    unsafe continuation.resume(returning: value)
  }

  /// Suspends the task until the waiter that the body gets is resumed.
  ///
  /// - Parameter body: Keeps the waiter, or resumes it; called at once, in the task.
  static func wait(_ body: (Waiter) -> Void) async -> Value {
    await unsafe withUnsafeContinuation { unsafe body(Waiter(continuation: $0)) }
  }
}
