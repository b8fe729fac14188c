import DequeModule
import Synchronization

/// Carries commands from any thread to a connection's event loop, with one wake-up per batch.
///
/// A hop to the event loop for each message costs more than the message; so senders only add to the box, and the
/// first one to find it idle wakes the loop, which then takes all that has come.
final class Mailbox<Command: Sendable>: Sendable {
  private enum Phase {
    case idle
    /// The loop has been woken and will take what is in the box.
    case filling
    case closed
  }

  private struct State {
    var phase = Phase.idle
    var commands = Deque<Command>()
  }

  enum Outcome {
    /// The loop will see the command without further ado.
    case accepted
    /// The command is the first of a batch: wake the loop.
    case wakeLoop
    /// The connection is gone; the command was dropped.
    case rejected
  }

  private let state = Mutex(State())

  func add(_ command: Command) -> Outcome {
    state.withLock { state in
      switch state.phase {
      case .idle:
        state.phase = .filling
        state.commands.append(command)
        return .wakeLoop
      case .filling:
        state.commands.append(command)
        return .accepted
      case .closed:
        return .rejected
      }
    }
  }

  /// Exchanges everything that has come for an empty queue, whose memory serves the batch after it; the next sender
  /// wakes the loop again.
  func takeAll(leaving empty: inout Deque<Command>) {
    precondition(empty.isEmpty, "commands would run twice")
    state.withLock { state in
      swap(&state.commands, &empty)
      if case .filling = state.phase { state.phase = .idle }
    }
  }

  /// Rejects all that comes from now on and gives out what has come before.
  func close() -> Deque<Command> {
    state.withLock { state in
      state.phase = .closed
      defer { state.commands = [] }
      return state.commands
    }
  }
}
