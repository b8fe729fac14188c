internal import DequeModule
package import NIOCore
internal import NIOPosix
internal import Synchronization

/// Turns the bytes of a chunked stream back into a snapshot's plain bytes, decompressing on a thread pool.
///
/// The caller pulls: ``next()`` reads the source as far as it may and gives out plain bytes in order; what it
/// has read counts as consumed. At most `parallelism` zlib chunks are in work (256 KiB each, plain and
/// compressed, and one decompressor of 45 KB each), and at most `parallelism` x 256 KiB of plain bytes wait,
/// besides one piece of the source. Stored bytes are slices of the source's pieces.
///
/// Not `Sendable`: one task at a time uses it, and it may be sent to another.
package final class SnapshotDecompressor<Source: AsyncSequence> where Source.Element == ByteBuffer {
  private enum Pending {
    case ready(ByteBuffer)
    case decompressing(PoolJob<ByteBuffer>, DecompressionLane, rawLength: Int)
  }

  private let parallelism: Int
  private let threadPool: any WorkerPool
  private let sourceIsReady: @Sendable () -> Bool

  private var iterator: Source.AsyncIterator
  private var parser: ChunkParser
  private var input = ByteBuffer()
  private var pending: Deque<Pending> = []
  private var pendingBytes = 0
  private var jobs = 0
  private var freeLanes: [DecompressionLane] = []
  private var sourceHasEnded = false
  /// A fault found while reading ahead, which is due when everything before it was given out.
  private var laterFailure: (any Error)?
  private var failure: (any Error)?

  /// - Parameters:
  ///   - source: the bytes of the stream behind the request, up to its FIN; it throws when the stream is reset.
  ///   - size: the plain bytes that the request announced.
  ///   - parallelism: zlib chunks that may be in work at once, 1...64.
  ///   - threadPool: where they are decompressed.
  ///   - sourceIsReady: whether the source's next piece is at hand, so that reading ahead does not wait. If
  ///     not, what is under way is given out before the source is asked again.
  package init(
    _ source: Source, size: UInt64, parallelism: Int = 2,
    threadPool: any WorkerPool = NIOThreadPool.singleton,
    sourceIsReady: @escaping @Sendable () -> Bool = { false }
  ) {
    precondition((1...64).contains(parallelism))
    self.iterator = source.makeAsyncIterator()
    self.parser = ChunkParser(size: size)
    self.parallelism = parallelism
    self.threadPool = threadPool
    self.sourceIsReady = sourceIsReady
  }

  deinit {
    for case .decompressing(let job, _, _) in pending { job.abandon() }
  }

  /// The next plain bytes, never empty; nil when all of them were given out, the end record was right and
  /// the source has ended behind it.
  ///
  /// - Throws: ``ChunkError`` for what the peer did wrong, after everything in front of the fault was given
  ///   out; what the source throws; `CancellationError`; ``ZlibError``. The same for every later call. When
  ///   it throws, nothing is running any more.
  package nonisolated(nonsending) func next() async throws -> ByteBuffer? {
    if let failure { throw failure }
    do {
      try Task.checkCancellation()
      try await fill()
      guard let head = pending.popFirst() else {
        if let laterFailure { throw laterFailure }
        return nil
      }
      return try await result(of: head)
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

  private nonisolated(nonsending) func result(of head: Pending) async throws -> ByteBuffer {
    switch head {
    case .ready(let bytes):
      pendingBytes -= bytes.readableBytes
      return bytes
    case .decompressing(let job, let lane, let rawLength):
      do {
        let bytes = try await job.value()
        pendingBytes -= rawLength
        jobs -= 1
        freeLanes.append(lane)
        return bytes
      } catch {
        // Back into its place: it may be running still, and then has to be waited for.
        pending.prepend(head)
        throw error
      }
    }
  }

  /// Reads ahead as far as there is room, and waits for the source only when nothing can be given out.
  private nonisolated(nonsending) func fill() async throws {
    while laterFailure == nil, hasRoom {
      do {
        if try enqueueNextRecord() { continue }
        if sourceHasEnded { return }
      } catch {
        laterFailure = error
        return
      }
      guard pending.isEmpty || sourceIsReady() else { return }
      do {
        if let piece = try await iterator.next(isolation: #isolation) {
          input = piece
          continue
        }
        sourceHasEnded = true
        try parser.finish()
      } catch {
        laterFailure = error
      }
    }
  }

  private var hasRoom: Bool {
    jobs < parallelism && pendingBytes < parallelism * ChunkFormat.maximumRawLength
  }

  /// Whether there was one in what was read so far.
  private func enqueueNextRecord() throws -> Bool {
    switch try parser.next(from: &input) {
    case .stored(let bytes):
      pending.append(.ready(bytes))
      pendingBytes += bytes.readableBytes
    case .compressed(let chunk):
      let lane = try freeLanes.popLast() ?? DecompressionLane()
      let job = lane.start(chunk, on: threadPool)
      pending.append(.decompressing(job, lane, rawLength: chunk.rawLength))
      pendingBytes += chunk.rawLength
      jobs += 1
    case .end:
      break
    case nil:
      return false
    }
    return true
  }

  private nonisolated(nonsending) func abandon() async {
    input = ByteBuffer()
    let running = pending.compactMap { entry -> PoolJob<ByteBuffer>? in
      if case .decompressing(let job, _, _) = entry { job } else { nil }
    }
    pending = []
    pendingBytes = 0
    jobs = 0
    for job in running { job.abandon() }
    for job in running { _ = try? await job.value() }
    freeLanes = []
  }
}

/// One decompressor, used by one job at a time; the lock is never contended and hands it from thread to thread.
private final class DecompressionLane: Sendable {
  private let inflater: Mutex<Inflater>

  init() throws(ZlibError) {
    inflater = Mutex(try Inflater())
  }

  func start(_ chunk: ChunkParser.CompressedChunk, on threadPool: any WorkerPool) -> PoolJob<ByteBuffer> {
    PoolJob(on: threadPool) {
      try self.inflater.withLock { inflater in try chunk.decompressed(with: &inflater) }
    }
  }
}
