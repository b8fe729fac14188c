import DequeModule
import Synchronization

/// Hands elements from where they arise (an event loop) to the tasks that wait for them.
///
/// Two lanes: urgent elements overtake ordinary ones, and each lane keeps its order. The queue itself sets no bound;
/// whoever puts in answers for that (stream credit and windows do, for RPCs).
package final class AsyncQueue<Element: Sendable>: Sendable {
  /// Whoever takes a waiter out of the queue, which happens under the lock and so once, resumes it: nothing is left
  /// for a checked continuation to check. Every move of one would look up its type at run time and cost more than
  /// the rest of the queue.
  @safe
  private struct Waiter {
    let id: UInt64
    private let continuation: UnsafeContinuation<Element?, Never>

    init(id: UInt64, _ continuation: UnsafeContinuation<Element?, Never>) {
      self.id = id
      unsafe self.continuation = continuation
    }

    func resume(returning element: Element?) {
      unsafe self.continuation.resume(returning: element)
    }
  }

  private struct State {
    var urgent = Deque<Element>()
    var ordinary = Deque<Element>()
    var waiters = Deque<Waiter>()
    var nextWaiterID: UInt64 = 0
    var isFinished = false

    mutating func take() -> Element? {
      urgent.popFirst() ?? ordinary.popFirst()
    }
  }

  private enum WaitOutcome {
    case resume(Element?)
    case suspended
  }

  private let state = Mutex(State())

  package init() {}

  /// Puts an element in; returns `false` (and drops the element) after ``finish(droppingElements:)``.
  @discardableResult
  package func push(_ element: Element, urgent: Bool = false) -> Bool {
    let (isAccepted, waiter) = state.withLock { state -> (Bool, Waiter?) in
      if state.isFinished { return (false, nil) }
      if let waiter = state.waiters.popFirst() { return (true, waiter) }
      if urgent {
        state.urgent.append(element)
      } else {
        state.ordinary.append(element)
      }
      return (true, nil)
    }
    waiter?.resume(returning: element)
    return isAccepted
  }

  /// Puts ordinary elements in, in order and at one go; drops them after ``finish(droppingElements:)``.
  package func push(contentsOf elements: [Element]) {
    let handed = self.state.withLock { state -> [Waiter] in
      if state.isFinished { return [] }
      let handed = Array(state.waiters.prefix(elements.count))
      state.waiters.removeFirst(handed.count)
      state.ordinary.append(contentsOf: elements.dropFirst(handed.count))
      return handed
    }
    for (waiter, element) in zip(handed, elements) { waiter.resume(returning: element) }
  }

  /// Ends the queue: what it holds can still be taken, unless it is dropped, and then `nil` comes for ever.
  package func finish(droppingElements: Bool = false) {
    let (waiters, dropped) = state.withLock { state in
      state.isFinished = true
      let waiters = state.waiters
      state.waiters = []
      var dropped = [Element]()
      if droppingElements {
        dropped = Array(state.urgent) + Array(state.ordinary)
        state.urgent = []
        state.ordinary = []
      }
      return (waiters, dropped)
    }
    for waiter in waiters { waiter.resume(returning: nil) }
    // Dropped elements end outside the lock: their owners may do anything as they go.
    _ = consume dropped
  }

  /// The next element; waits for one. `nil` when the queue has ended or the task is cancelled.
  package func next() async -> Element? {
    if let element = state.withLock({ $0.take() }) { return element }
    let id = state.withLock { state in
      state.nextWaiterID += 1
      return state.nextWaiterID
    }
    return await withTaskCancellationHandler {
      await unsafe withUnsafeContinuation { continuation in
        let waiter = unsafe Waiter(id: id, continuation)
        let outcome: WaitOutcome = state.withLock { state in
          if let element = state.take() { return .resume(element) }
          // The flag is set before the cancellation handler runs, so that either this look sees it or the
          // handler finds the waiter.
          if state.isFinished || Task.isCancelled { return .resume(nil) }
          state.waiters.append(waiter)
          return .suspended
        }
        if case .resume(let element) = outcome { waiter.resume(returning: element) }
      }
    } onCancel: {
      cancelWait(id)
    }
  }

  private func cancelWait(_ id: UInt64) {
    let waiter: Waiter? = state.withLock { state in
      guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
        return nil
      }
      return state.waiters.remove(at: index)
    }
    waiter?.resume(returning: nil)
  }
}
