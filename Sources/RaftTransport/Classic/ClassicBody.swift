import NIOCore

/// The body of a snapshot that an old peer sends: exactly so many raw bytes behind the request.
///
/// Confined to the event loop, but for ``body``.
final class ClassicBody {
  /// Bytes that may wait for the reader before the socket is left alone.
  private static let window = 512 * 1_024

  let body: SnapshotBody
  private let pipe: BodyPipe
  /// Bytes that are still to come.
  private(set) var bytesLeft: Int64
  /// Bytes that the reader has not taken.
  private(set) var waitingBytes = 0
  private var isAbandoned = false

  /// - Parameters:
  ///   - size: What the request says; zero or less is no body, as in upstream's `LimitReader`.
  ///   - consumed: Told from the reader's task how many bytes it has taken.
  init(size: Int64, consumed: @escaping @Sendable (Int) -> Void) {
    let pipe = BodyPipe(reportThreshold: Self.window / 8, consumed: consumed)
    self.pipe = pipe
    bytesLeft = max(size, 0)
    let iterator = pipe.makeAsyncIterator()
    body = SnapshotBody { try await iterator.next() }
    if bytesLeft == 0 { pipe.finish() }
  }

  var isComplete: Bool { bytesLeft == 0 }

  /// Whether the reader keeps up, so that more bytes are wanted.
  var wantsMore: Bool { !isComplete && waitingBytes < Self.window }

  /// Bytes have come: never more than are left.
  func received(_ bytes: ByteBuffer) {
    bytesLeft -= Int64(bytes.readableBytes)
    precondition(bytesLeft >= 0, "bytes of the next request were taken for the snapshot's")
    waitingBytes += bytes.readableBytes
    taken(pipe.push(bytes, reportThreshold: Self.window / 8))
    if isComplete { pipe.finish() }
  }

  /// The reader has taken bytes.
  func taken(_ count: Int) {
    waitingBytes -= count
  }

  /// The handler has answered: what is still to come is read and dropped, as raft's own handler does it.
  func abandon() {
    guard !isAbandoned else { return }
    isAbandoned = true
    taken(
      pipe.abandon(
        TransportError(.snapshotCut, "the call that brought the snapshot is over", delivery: .answered)))
  }

  /// No more bytes will come.
  func fail(_ why: String) {
    guard !isComplete else { return }
    pipe.fail(
      TransportError(.snapshotCut, "\(why) \(bytesLeft) bytes before the snapshot's end", delivery: .answered)
    )
  }
}
