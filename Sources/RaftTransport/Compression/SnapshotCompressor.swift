internal import DequeModule
package import NIOCore
internal import NIOPosix
internal import Synchronization

/// What a ``SnapshotCompressor`` has given out.
package struct SnapshotCompressionFigures: Equatable, Sendable {
  package var storedChunks = 0
  package var compressedChunks = 0
  /// Plain bytes in the records given out.
  package var rawBytes: UInt64 = 0
  /// Bytes of the records given out, headers and end record included.
  package var encodedBytes: UInt64 = 0
}

/// Turns a snapshot's source into the records of a chunked stream, compressing on a thread pool.
///
/// The caller pulls: ``next()`` reads the source as far as it may, and gives out buffers in order. At most
/// `parallelism` chunks (256 KiB each, plain and compressed, and one compressor of 270 KB each) exist here at
/// a time, besides what the source gave in one piece. Between two calls nothing happens but the compression
/// of those chunks.
///
/// Not `Sendable`: one task at a time uses it, and it may be sent to another.
package final class SnapshotCompressor<Source: AsyncSequence> where Source.Element == ByteBuffer {
  private enum Pending {
    case ready(EncodedChunk)
    case compressing(PoolJob<TimedChunk>, CompressionLane, AdaptiveCompression.Decision)
  }

  private let size: UInt64
  private let mode: CompressionMode
  private let parallelism: Int
  private let threadPool: any WorkerPool
  private let link: @Sendable () -> LinkRate?
  private let seconds: @Sendable () -> Double
  private let sourceIsReady: @Sendable () -> Bool

  private var source: ExactSizeSource<Source>
  private var cutter = ChunkCutter()
  /// What is known of the compressor, for the next stream when this one is done.
  package private(set) var adaptive: AdaptiveCompression
  private var pending: Deque<Pending> = []
  private var outgoing: Deque<ByteBuffer> = []
  private var freeLanes: [CompressionLane] = []
  private var sourceHasEnded = false
  private var endWasSent = false
  private var failure: (any Error)?
  package private(set) var figures = SnapshotCompressionFigures()

  /// - Parameters:
  ///   - source: the plain bytes, in pieces of any size. Pieces of 16 KiB and more are not copied.
  ///   - size: how many there are.
  ///   - mode: `.off` gives stored chunks only.
  ///   - parallelism: chunks that may be compressed at once, 1...64.
  ///   - threadPool: where they are compressed.
  ///   - known: for `.automatic`: what an earlier stream on the same path learned.
  ///   - link: for `.automatic`: what the path takes, nil while unknown. Called per chunk.
  ///   - seconds: a clock.
  ///   - sourceIsReady: whether the source's next piece is at hand. If not, chunks that are under way are
  ///     given out before the source is asked again; else reading ahead comes first.
  package init(
    _ source: Source, size: UInt64, mode: CompressionMode, parallelism: Int = 2,
    threadPool: any WorkerPool = NIOThreadPool.singleton,
    known: AdaptiveCompression? = nil,
    link: @escaping @Sendable () -> LinkRate? = { nil },
    seconds: @escaping @Sendable () -> Double = MonotonicClock.seconds,
    sourceIsReady: @escaping @Sendable () -> Bool = { true }
  ) {
    precondition((1...64).contains(parallelism))
    self.source = ExactSizeSource(source, size: size)
    self.size = size
    self.mode = mode
    // Nothing runs at once when nothing is compressed.
    self.parallelism = mode.choice == .never ? 1 : parallelism
    self.threadPool = threadPool
    self.link = link
    self.seconds = seconds
    self.sourceIsReady = sourceIsReady
    self.adaptive =
      known?.forNextStream(parallelism: self.parallelism)
      ?? AdaptiveCompression(parallelism: self.parallelism)
  }

  deinit {
    for case .compressing(let job, _, _) in pending { job.abandon() }
  }

  /// The next bytes to send, never empty; nil behind the end record.
  ///
  /// - Throws: ``SnapshotSourceError``, `CancellationError`, or ``ZlibError``; the same for every later call.
  ///   When it throws, nothing is running any more.
  package nonisolated(nonsending) func next() async throws -> ByteBuffer? {
    if let failure { throw failure }
    do {
      try Task.checkCancellation()
      if outgoing.isEmpty { try await advance() }
      return outgoing.popFirst()
    } catch {
      failure = error
      await abandon()
      throw error
    }
  }

  /// Gives the rest up. Afterwards nothing is running any more, and ``next()`` throws `CancellationError`.
  package nonisolated(nonsending) func cancel() async {
    failure = failure ?? CancellationError()
    await abandon()
  }

  /// Puts the next record into `outgoing`, unless all is done.
  private nonisolated(nonsending) func advance() async throws {
    try await fill()
    guard let head = pending.popFirst() else {
      if !endWasSent {
        endWasSent = true
        give(.end(total: size))
      }
      return
    }
    switch head {
    case .ready(let chunk):
      give(chunk)
    case .compressing(let job, let lane, let decision):
      let result: TimedChunk
      do {
        result = try await job.value()
      } catch {
        // Back into its place: it may be running still, and then has to be waited for.
        pending.prepend(head)
        throw error
      }
      freeLanes.append(lane)
      adaptive.record(
        decision, rawLength: result.chunk.rawLength, encodedLength: result.chunk.encodedLength,
        seconds: result.seconds)
      give(result.chunk)
    }
  }

  /// Reads ahead up to `parallelism` chunks.
  private nonisolated(nonsending) func fill() async throws {
    while pending.count < parallelism, pending.isEmpty || sourceIsReady() {
      let (decision, length) = decide()
      guard let chunk = try await nextChunk(length: length) else { return }
      switch decision {
      case .stored:
        pending.append(.ready(.stored(chunk)))
      case let decision:
        let lane = try freeLanes.popLast() ?? CompressionLane(level: mode.level)
        pending.append(.compressing(lane.start(chunk, on: threadPool, seconds: seconds), lane, decision))
      }
    }
  }

  /// How to send the next chunk, and how many plain bytes it has at most.
  private func decide() -> (AdaptiveCompression.Decision, length: Int) {
    switch mode.choice {
    case .never: return (.stored, ChunkFormat.maximumRawLength)
    case .always: return (.zlib, ChunkFormat.maximumRawLength)
    case .measured:
      let link = self.link()
      let decision = adaptive.decide(link: link, now: seconds())
      return (decision, adaptive.chunkLength(decision, link: link))
    }
  }

  private nonisolated(nonsending) func nextChunk(length: Int) async throws -> RawChunk? {
    while true {
      if let chunk = cutter.next(length: length) { return chunk }
      if sourceHasEnded { return nil }
      if let piece = try await source.next() {
        cutter.append(piece)
      } else {
        sourceHasEnded = true
        cutter.finish()
      }
    }
  }

  private func give(_ chunk: EncodedChunk) {
    switch chunk.method {
    case .stored: figures.storedChunks += 1
    case .zlib: figures.compressedChunks += 1
    case .end: break
    }
    figures.rawBytes += UInt64(chunk.rawLength)
    figures.encodedBytes += UInt64(ChunkFormat.headerLength + chunk.encodedLength)
    outgoing.append(contentsOf: chunk.buffers)
  }

  private nonisolated(nonsending) func abandon() async {
    outgoing = []
    cutter = ChunkCutter()
    let jobs = pending.compactMap { entry -> PoolJob<TimedChunk>? in
      if case .compressing(let job, _, _) = entry { job } else { nil }
    }
    pending = []
    for job in jobs { job.abandon() }
    for job in jobs { _ = try? await job.value() }
    freeLanes = []
  }
}

/// The system's clock that only goes forward.
package enum MonotonicClock {
  /// Seconds since some beginning.
  @Sendable package static func seconds() -> Double {
    NIODeadline.now().seconds
  }
}

extension NIODeadline {
  /// Seconds since some beginning.
  var seconds: Double { Double(uptimeNanoseconds) / 1e9 }
}

private struct TimedChunk: Sendable {
  let chunk: EncodedChunk
  let seconds: Double
}

/// One compressor, used by one job at a time; the lock is never contended and hands it from thread to thread.
private final class CompressionLane: Sendable {
  private let encoder: Mutex<ChunkEncoder>

  init(level: Int) throws(ZlibError) {
    encoder = Mutex(try ChunkEncoder(level: level))
  }

  func start(
    _ chunk: RawChunk, on threadPool: any WorkerPool, seconds: @escaping @Sendable () -> Double
  ) -> PoolJob<TimedChunk> {
    // The wait for a thread counts, too: it is what a busy machine costs.
    let start = seconds()
    return PoolJob(on: threadPool) {
      let encoded = self.encoder.withLock { encoder in encoder.encode(chunk) }
      return TimedChunk(chunk: encoded, seconds: seconds() - start)
    }
  }
}
