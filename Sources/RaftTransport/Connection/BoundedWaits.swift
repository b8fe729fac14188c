import NIOCore
import Synchronization

/// Waits for what the user's code, or the system's, may never finish: no longer than a deadline, a cancelled caller or
/// the end of the transport. What is left behind is cancelled, and goes on if it does not care.
final class BoundedWaits: Sendable {
  private struct State {
    var isShutDown = false
    var nextNumber: UInt64 = 0
    var giveUp: [UInt64: @Sendable (TransportError) -> Void] = [:]
  }

  private let eventLoop: any EventLoop
  private let state = Mutex(State())

  init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  /// The result of some work, in a task of its own.
  ///
  /// - Parameters:
  ///   - deadline: Until when it is waited for; `nil` for as long as it takes.
  ///   - late: The words of the error with which the wait ends then.
  /// - Throws: ``TransportError`` with `timeout`, `cancelled` or `shutdown`, always `notDelivered`; or what the work has
  ///   thrown.
  func value<Value: Sendable>(
    until deadline: NIODeadline?, late: String, of work: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let result = CallResult<Result<Value, any Error>>()
    let task = Task.onSameExecutor {
      let outcome: Result<Value, any Error>
      do { outcome = .success(try await work()) } catch { outcome = .failure(error) }
      result.complete(.success(outcome))
    }
    let giveUp: @Sendable (TransportError) -> Void = { error in
      task.cancel()
      result.complete(.failure(error))
    }
    guard let number = register(giveUp) else {
      giveUp(TransportError(.shutdown, "", delivery: .notDelivered))
      return try await result.value(onCancel: {}).get()
    }
    defer { state.withLock { $0.giveUp[number] = nil } }
    let timer = deadline.map { deadline in
      eventLoop.scheduleTask(deadline: deadline) {
        giveUp(TransportError(.timeout, late, delivery: .notDelivered))
      }
    }
    defer { timer?.cancel() }
    return try await result.value {
      giveUp(TransportError(.cancelled, "", delivery: .notDelivered))
    }.get()
  }

  private func register(_ giveUp: @escaping @Sendable (TransportError) -> Void) -> UInt64? {
    state.withLock { state in
      if state.isShutDown { return nil }
      state.nextNumber += 1
      state.giveUp[state.nextNumber] = giveUp
      return state.nextNumber
    }
  }

  /// Ends all waits, and later ones at once.
  func shutDown() {
    let waits = state.withLock { state in
      state.isShutDown = true
      defer { state.giveUp = [:] }
      return state.giveUp.values
    }
    for giveUp in waits { giveUp(TransportError(.shutdown, "", delivery: .notDelivered)) }
  }
}

extension Task where Failure == Never, Success == Void {
  /// A task that nobody has to wait for. A structured child would run where its parent prefers to; this one does, too.
  static func onSameExecutor(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    Task<Void, Never>(executorPreference: preferredExecutor, operation: body)
  }

  private static var preferredExecutor: (any TaskExecutor)? {
    guard #available(macOS 26.4, *) else { return nil }
    return unsafe withUnsafeCurrentTask { task in
      unsafe task?.unownedTaskExecutor.flatMap { unsafe $0.asTaskExecutor() }
    }
  }
}
