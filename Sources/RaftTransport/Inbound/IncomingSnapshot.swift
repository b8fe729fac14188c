import NIOCore
import StreamMux
import Synchronization

/// The body of one incoming snapshot: from the stream's bytes to exactly `size` plain bytes for the handler (R-SNAP).
///
/// Confined to the event loop, but for ``body`` and the pipe.
final class IncomingSnapshot {
  /// The number of its request among those of the stream.
  let request: UInt64
  let body: SnapshotBody
  let pipe: BodyPipe
  private let encoding: StreamEncoding
  private let peer: ServerID
  private let environment: TransportEnvironment
  /// Plain bytes still to come; counted here with the plain encoding only, where they end the body.
  private var plainBytesLeft: Int64
  private var hasEnded = false

  init(
    size: Int64, encoding: StreamEncoding, request: UInt64, peer: ServerID, stream: StreamKey, link: Link,
    environment: TransportEnvironment
  ) {
    let pipe = BodyPipe { count in link.send(.consumed(stream, count)) }
    self.request = request
    self.environment = environment
    self.encoding = encoding
    self.peer = peer
    self.pipe = pipe
    // A size of zero or less has no body, as in upstream's LimitReader.
    let size = max(size, 0)
    self.plainBytesLeft = size
    switch encoding {
    case .plain:
      body = SnapshotBody(plain: pipe)
      if size == 0 { end() }
    case .chunked:
      // The sender need not go on with what cannot be read (R-SNAP-14); the handler answers in its own time.
      body = SnapshotBody(chunked: pipe, size: UInt64(size), peer: peer, workers: environment.workers) {
        link.send(.perform { driver in driver.engine.stop(stream, code: .malformedChunk) })
      }
    }
  }

  /// Whether no more bytes of the body will come, because all have or because the peer broke off.
  var isComplete: Bool { hasEnded }

  /// How many bytes of the stream belong to the body, as far as is known.
  var bytesWanted: Int {
    if hasEnded { return 0 }
    return encoding == .plain ? Int(clamping: plainBytesLeft) : .max
  }

  /// Bytes of the body.
  ///
  /// - Parameter window: How large the stream's window is, in bytes.
  /// - Returns: How many bytes the reader has taken since it was last said.
  func received(_ bytes: ByteBuffer, window: Int) -> Int {
    // Two reports for each credit (R-FLW-6): more would not let the peer send any sooner.
    let consumed = pipe.push(bytes, reportThreshold: window / 8)
    guard encoding == .plain else { return consumed }
    plainBytesLeft -= Int64(bytes.readableBytes)
    if plainBytesLeft == 0 { end() }
    return consumed
  }

  /// The peer's half ended: with the chunked encoding this is the body's end, with the plain one it comes too early.
  func peerFinished() {
    guard !hasEnded else { return }
    if encoding == .plain {
      let message = "server '\(peer)' ended the stream \(plainBytesLeft) bytes before the snapshot's end"
      hasEnded = true
      pipe.fail(TransportError(.snapshotCut, message, delivery: .answered))
    } else {
      end()
    }
  }

  /// The stream or its connection broke.
  func peerVanished(_ error: TransportError) {
    guard !hasEnded else { return }
    hasEnded = true
    if environment.has(.endsCutSnapshot) { return pipe.finish() }
    pipe.fail(
      TransportError(.snapshotCut, error.message, delivery: .answered, underlying: error.underlying))
  }

  private func end() {
    hasEnded = true
    pipe.finish()
  }
}

extension SnapshotBody {
  fileprivate init(plain pipe: BodyPipe) {
    let iterator = pipe.makeAsyncIterator()
    self.init { try await iterator.next() }
  }

  fileprivate init(
    chunked pipe: BodyPipe, size: UInt64, peer: ServerID, workers: any WorkerPool,
    malformed: @escaping @Sendable () -> Void
  ) {
    let reader = ChunkedBodyReader(
      pipe: pipe, size: size, peer: peer, workers: workers, malformed: malformed)
    self.init { try await reader.next() }
  }
}

/// Reads a chunked body; an actor, since the decompressor is used from whichever task reads, one at a time.
private actor ChunkedBodyReader {
  private let decompressor: SnapshotDecompressor<BodyPipe>
  private let peer: ServerID
  private let malformed: @Sendable () -> Void
  private var isReading = false

  init(
    pipe: BodyPipe, size: UInt64, peer: ServerID, workers: any WorkerPool,
    malformed: @escaping @Sendable () -> Void
  ) {
    decompressor = SnapshotDecompressor(
      pipe, size: size, threadPool: workers, sourceIsReady: { pipe.isReady })
    self.peer = peer
    self.malformed = malformed
  }

  func next() async throws -> ByteBuffer? {
    if isReading { throw SnapshotBody.readTwice }
    isReading = true
    defer { isReading = false }
    do {
      return try await decompressor.next()
    } catch let error as ChunkError {
      malformed()
      let message = "server '\(peer)' sent a snapshot that cannot be read"
      throw TransportError(.snapshotCut, message, delivery: .answered, underlying: error)
    }
  }
}
