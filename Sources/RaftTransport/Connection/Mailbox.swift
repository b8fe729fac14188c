import DequeModule
import Synchronization

/// Carries commands from any thread to a connection's event loop, with one wake-up per batch.
///
/// A hop to the event loop for each message costs more than the message; so senders only add to the box, and the
/// first one to find it idle wakes the loop, which then takes all that has come.
final class Mailbox<Command: Sendable>: Sendable {
  private enum State {
    case idle
    /// The loop has been woken and will take what is in the box.
    case filling(Deque<Command>)
    case closed
  }

  enum Outcome {
    /// The loop will see the command without further ado.
    case accepted
    /// The command is the first of a batch: wake the loop.
    case wakeLoop
    /// The connection is gone; the command was dropped.
    case rejected
  }

  private let state = Mutex(State.idle)

  func add(_ command: Command) -> Outcome {
    state.withLock { state in
      switch state {
      case .idle:
        state = .filling([command])
        return .wakeLoop
      case .filling(var batch):
        state = .idle  // gives up the other reference, so that appending copies nothing
        batch.append(command)
        state = .filling(batch)
        return .accepted
      case .closed:
        return .rejected
      }
    }
  }

  /// Everything that has come; the next sender wakes the loop again.
  func takeAll() -> Deque<Command> {
    state.withLock { state in
      guard case .filling(let batch) = state else { return [] }
      state = .idle
      return batch
    }
  }

  /// Rejects all that comes from now on and gives out what has come before.
  func close() -> Deque<Command> {
    state.withLock { state in
      let rest: Deque<Command> = if case .filling(let batch) = state { batch } else { [] }
      state = .closed
      return rest
    }
  }
}
