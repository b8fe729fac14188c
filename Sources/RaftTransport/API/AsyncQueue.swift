import DequeModule
import Synchronization

/// Hands elements from where they arise (an event loop) to the tasks that wait for them.
///
/// Two lanes: urgent elements overtake ordinary ones, and each lane keeps its order. The queue itself sets no bound;
/// whoever puts in answers for that (stream credit and windows do, for RPCs).
package final class AsyncQueue<Element: Sendable>: Sendable {
  private struct Taker {
    let id: UInt64
    let waiter: Waiter<Element?>
  }

  private struct State {
    var urgent = Deque<Element>()
    var ordinary = Deque<Element>()
    var takers = Deque<Taker>()
    var nextTakerID: UInt64 = 0
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
    let (isAccepted, waiter) = state.withLock { state -> (Bool, Waiter<Element?>?) in
      if state.isFinished { return (false, nil) }
      if let taker = state.takers.popFirst() { return (true, taker.waiter) }
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
    let handed = state.withLock { state -> [Taker] in
      if state.isFinished { return [] }
      let handed = Array(state.takers.prefix(elements.count))
      state.takers.removeFirst(handed.count)
      state.ordinary.append(contentsOf: elements.dropFirst(handed.count))
      return handed
    }
    for (taker, element) in zip(handed, elements) { taker.waiter.resume(returning: element) }
  }

  /// Ends the queue: what it holds can still be taken, unless it is dropped, and then `nil` comes for ever.
  package func finish(droppingElements: Bool = false) {
    let (takers, dropped) = state.withLock { state in
      state.isFinished = true
      let takers = state.takers
      state.takers = []
      var dropped = [Element]()
      if droppingElements {
        dropped = Array(state.urgent) + Array(state.ordinary)
        state.urgent = []
        state.ordinary = []
      }
      return (takers, dropped)
    }
    for taker in takers { taker.waiter.resume(returning: nil) }
    // Dropped elements end outside the lock: their owners may do anything as they go.
    _ = consume dropped
  }

  /// The next element; waits for one. `nil` when the queue has ended or the task is cancelled.
  package func next() async -> Element? {
    if let element = state.withLock({ $0.take() }) { return element }
    let id = state.withLock { state in
      state.nextTakerID += 1
      return state.nextTakerID
    }
    return await withTaskCancellationHandler {
      await Waiter.wait { waiter in
        let outcome: WaitOutcome = state.withLock { state in
          if let element = state.take() { return .resume(element) }
          // The flag is set before the cancellation handler runs, so that either this look sees it or the
          // handler finds the waiter.
          if state.isFinished || Task.isCancelled { return .resume(nil) }
          state.takers.append(Taker(id: id, waiter: waiter))
          return .suspended
        }
        if case .resume(let element) = outcome { waiter.resume(returning: element) }
      }
    } onCancel: {
      cancelWait(id)
    }
  }

  /// The next element, if there is one.
  package func takeNow() -> Element? {
    state.withLock { $0.take() }
  }

  private func cancelWait(_ id: UInt64) {
    let taker: Taker? = state.withLock { state in
      guard let index = state.takers.firstIndex(where: { $0.id == id }) else { return nil }
      return state.takers.remove(at: index)
    }
    taker?.waiter.resume(returning: nil)
  }
}
