import NIOCore
import RaftWire
import StreamMux
import Synchronization

/// What the task that reads a snapshot's source and the stream on the event loop share: how much room there is for
/// more bytes, how far the snapshot has come, and the result.
final class SnapshotUpload: Sendable {
  private struct State {
    /// Bytes handed to the connection, and those of them that were framed as far as is known.
    var submitted: UInt64 = 0
    var framed: UInt64 = 0
    var plainBytes: Int64 = 0
    var isEnded = false
    var waiter: CheckedContinuation<Void, Never>?
    /// Bytes that may wait for their frames; above it the source is left alone.
    var highWater: Int
    var linkRate: LinkRate?

    var isFull: Bool { submitted - framed >= UInt64(highWater) }
  }

  let size: Int64
  let result = CallResult<InstallSnapshotResponse>()
  private let link: Link
  private let stream: LoopHandle<SnapshotStream>
  private let state: Mutex<State>

  init(size: Int64, link: Link, stream: LoopHandle<SnapshotStream>, pace: UploadPace) {
    self.state = Mutex(State(highWater: pace.highWater, linkRate: pace.linkRate))
    self.size = size
    self.link = link
    self.stream = stream
  }

  /// What the path takes, for the choice of compression.
  var linkRate: LinkRate? { state.withLock { $0.linkRate } }

  var progress: TransportStatistics.Snapshot {
    state.withLock { state in
      TransportStatistics.Snapshot(
        size: size, plainBytes: state.plainBytes, encodedBytes: Int64(clamping: state.submitted))
    }
  }

  // MARK: From the task that reads the source

  /// Notes how many plain bytes were handed over.
  func advance(plainBytes: Int64) {
    state.withLock { $0.plainBytes = plainBytes }
  }

  /// Hands bytes to the connection and waits until there is room for more.
  ///
  /// - Returns: `false` when no more bytes are wanted.
  func write(_ bytes: ByteBuffer) async -> Bool {
    let isEnded = state.withLock { state in
      state.submitted += UInt64(bytes.readableBytes)
      return state.isEnded
    }
    guard !isEnded else { return false }
    link.send(.perform { [stream] driver in stream.value?.write(bytes, driver) })
    return await waitForRoom()
  }

  /// All bytes were handed over.
  func finish() {
    link.send(.perform { [stream] driver in stream.value?.finish(driver) })
  }

  /// The source cannot give what was announced.
  func fail(_ error: TransportError) {
    link.send(.perform { [stream] driver in stream.value?.sourceFailed(error, driver) })
  }

  private func waitForRoom() async -> Bool {
    if let mayGoOn = state.withLock({ $0.isFull && !$0.isEnded ? nil : !$0.isEnded }) { return mayGoOn }
    await withCheckedContinuation { continuation in
      let mayGoOn = state.withLock { state in
        if state.isEnded || !state.isFull { return true }
        state.waiter = continuation
        return false
      }
      if mayGoOn { continuation.resume() }
    }
    return state.withLock { !$0.isEnded }
  }

  // MARK: From the stream, on the event loop

  /// So many bytes of a body that is in memory were written in all.
  func wrote(total: UInt64) {
    state.withLock { state in
      state.submitted = total
      state.plainBytes = Int64(clamping: total)
    }
  }

  /// So many bytes were framed in all.
  func framed(_ total: UInt64, pace: UploadPace) {
    resumeWaiter { state in
      state.framed = max(state.framed, total)
      state.highWater = pace.highWater
      state.linkRate = pace.linkRate
      return !state.isFull
    }
  }

  /// No more bytes are wanted.
  func end() {
    resumeWaiter { state in
      state.isEnded = true
      return true
    }
  }

  /// The stream is gone; the two no longer hold each other.
  func streamEnded() {
    end()
    stream.value = nil
  }

  private func resumeWaiter(_ update: (inout State) -> Bool) {
    let waiter = state.withLock { state in update(&state) ? state.waiter.take() : nil }
    waiter?.resume()
  }
}
