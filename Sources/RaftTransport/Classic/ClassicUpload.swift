import NIOCore
import RaftWire
import Synchronization

/// What the task that reads a snapshot's source and the connection to an old peer share: how much room there is for
/// more bytes, and how far the snapshot has come.
final class ClassicUpload: Sendable {
  /// Bytes that may wait for the socket before the source is left alone.
  private static let highWater = 1_024 * 1_024

  private struct State {
    /// Bytes handed over, and those of them that the socket has taken.
    var submitted: Int64 = 0
    var written: Int64 = 0
    /// Whether there is a connection that takes bytes.
    var hasBegun = false
    var isEnded = false
    var waiter: Waiter<Void>?

    var mayGoOn: Bool { isEnded || (hasBegun && submitted - written < highWater) }
  }

  let size: Int64
  private let state = Mutex(State())

  init(size: Int64) {
    self.size = size
  }

  var progress: TransportStatistics.Snapshot {
    let submitted = state.withLock { $0.submitted }
    return TransportStatistics.Snapshot(size: size, plainBytes: submitted, encodedBytes: submitted)
  }

  /// Waits until there is room for more bytes.
  ///
  /// - Returns: `false` when no more bytes are wanted.
  func waitForRoom() async -> Bool {
    await Waiter.wait { waiter in
      let mayGoOn = state.withLock { state in
        if state.mayGoOn { return true }
        state.waiter = waiter
        return false
      }
      if mayGoOn { waiter.resume(returning: ()) }
    }
    return state.withLock { !$0.isEnded }
  }

  /// Notes that bytes were handed over.
  func submitted(_ count: Int) {
    state.withLock { $0.submitted += Int64(count) }
  }

  // MARK: From the event loop

  func begin() {
    update { $0.hasBegun = true }
  }

  func written(_ count: Int) {
    update { $0.written += Int64(count) }
  }

  /// No more bytes are wanted.
  func end() {
    update { $0.isEnded = true }
  }

  private func update(_ change: (inout State) -> Void) {
    let waiter = state.withLock { state in
      change(&state)
      return state.mayGoOn ? state.waiter.take() : nil
    }
    waiter?.resume(returning: ())
  }
}
