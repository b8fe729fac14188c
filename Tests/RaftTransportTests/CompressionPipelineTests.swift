import NIOCore
import NIOPosix
import Testing

@testable import RaftTransport

@Suite("Snapshot compressor and decompressor")
struct CompressionPipelineTests {
  static let sizes = [0, 1, 262_143, 262_144, 262_145, 3_000_000]
  static let modes: [CompressionMode] = [.off, .on(), .on(level: 9), .automatic]

  private func encode(
    _ source: PieceSource, size: Int, mode: CompressionMode, parallelism: Int,
    linkRate: Double? = 1e6
  ) async throws -> (buffers: [ByteBuffer], figures: SnapshotCompressionFigures) {
    let compressor = SnapshotCompressor(
      source, size: UInt64(size), mode: mode, parallelism: parallelism,
      link: { linkRate.map { LinkRate(bytesPerSecond: $0) } })
    var buffers: [ByteBuffer] = []
    while let bytes = try await compressor.next() {
      #expect(bytes.readableBytes > 0)
      buffers.append(bytes)
    }
    #expect(try await compressor.next() == nil)
    return (buffers, compressor.figures)
  }

  private func decompress(
    _ source: PieceSource, size: Int, parallelism: Int, readsAhead: Bool
  ) async throws -> ByteBuffer {
    let decompressor = SnapshotDecompressor(
      source, size: UInt64(size), parallelism: parallelism, sourceIsReady: { readsAhead })
    var plain = ByteBuffer()
    while let bytes = try await decompressor.next() {
      #expect(bytes.readableBytes > 0)
      plain.writeImmutableBuffer(bytes)
    }
    #expect(try await decompressor.next() == nil)
    return plain
  }

  @Test("Every size, mode and parallelism comes back as it was", arguments: modes, [1, 2])
  func roundTrip(mode: CompressionMode, parallelism: Int) async throws {
    for data in SampleData.allCases {
      for size in Self.sizes {
        let plain = ByteBuffer(bytes: data.bytes(size))
        let (buffers, figures) = try await encode(
          PieceSource(pieces(plain, of: 100_000)), size: size, mode: mode, parallelism: parallelism)
        let encoded = joined(buffers)
        #expect(figures.rawBytes == UInt64(size))
        #expect(figures.encodedBytes == UInt64(encoded.readableBytes))
        let chunks = figures.storedChunks + figures.compressedChunks
        let fullChunks = (size + 262_143) / 262_144
        // Probes are short.
        #expect(mode == .automatic ? (fullChunks...fullChunks + 4).contains(chunks) : chunks == fullChunks)
        if mode == .off { #expect(figures.compressedChunks == 0) }
        // A last chunk of one byte cannot shrink.
        if data == .text, mode.choice == .always {
          #expect(figures.storedChunks == (size % 262_144 == 1 ? 1 : 0))
        }
        if data == .random { #expect(figures.compressedChunks == 0) }
        #expect(try decode([encoded], size: UInt64(size)) == Decoded(plain: plain, error: nil))
        let back = try await decompress(
          PieceSource(pieces(encoded, of: 65_536)), size: size, parallelism: parallelism,
          readsAhead: parallelism == 2)
        #expect(back == plain, "\(data) \(size)")
      }
    }
  }

  @Test("Parallelism changes nothing about the bytes", arguments: [SampleData.text, .mixed])
  func parallelismIsInvisible(data: SampleData) async throws {
    let plain = ByteBuffer(bytes: data.bytes(2_500_000))
    var results: [ByteBuffer] = []
    for parallelism in [1, 2, 5, 64] {
      results.append(
        joined(
          try await encode(
            PieceSource(pieces(plain, of: 70_000)), size: 2_500_000, mode: .on(), parallelism: parallelism
          ).buffers))
    }
    #expect(Set(results).count == 1)
  }

  @Test("Reading ahead goes no further than the parallelism", arguments: [1, 2, 3])
  func readAheadIsBounded(parallelism: Int) async throws {
    let source = PieceSource(Array(repeating: ByteBuffer(repeating: 1, count: 262_144), count: 20))
    let compressor = SnapshotCompressor(
      source, size: 20 * 262_144, mode: .on(), parallelism: parallelism)
    _ = try await compressor.next()
    #expect(source.log.pulls == parallelism)
    await compressor.cancel()

    let (buffers, _) = try await encode(
      PieceSource(source.pieces), size: 20 * 262_144, mode: .on(), parallelism: 1)
    let encoded = PieceSource(buffers)
    let decompressor = SnapshotDecompressor(
      encoded, size: 20 * 262_144, parallelism: parallelism, sourceIsReady: { true })
    _ = try await decompressor.next()
    #expect(encoded.log.pulls == parallelism)
    await decompressor.cancel()
  }

  @Test("A chunk that is there is given out before a source that is not ready is asked again")
  func doesNotWaitForTheSource() async throws {
    let half = ByteBuffer(bytes: SampleData.text.bytes(262_144))
    let source = PieceSource([half, half])
    let compressor = SnapshotCompressor(
      source, size: 2 * 262_144, mode: .on(), parallelism: 2, sourceIsReady: { false })
    let first = try #require(try await compressor.next())
    #expect(source.log.pulls == 1)
    let encoded = PieceSource([first, first])
    let decompressor = SnapshotDecompressor(encoded, size: 2 * 262_144, parallelism: 2)
    #expect(try await decompressor.next() == half)
    #expect(encoded.log.pulls == 1)
    await compressor.cancel()
    await decompressor.cancel()
  }

  // R-SNAP-16
  @Test("A source of the wrong length or a throwing one never gets an end record", arguments: modes)
  func badSources(mode: CompressionMode) async throws {
    let piece = ByteBuffer(bytes: SampleData.text.bytes(300_000))
    let sources = [
      PieceSource([piece]), PieceSource([piece, piece, piece]),
      PieceSource([piece, piece, ByteBuffer(string: "x")]),
      PieceSource([piece, piece], failure: PieceSource.Broken()),
    ]
    for source in sources {
      let compressor = SnapshotCompressor(source, size: 600_000, mode: mode)
      var buffers: [ByteBuffer] = []
      var failure: SnapshotSourceError?
      do {
        while let bytes = try await compressor.next() { buffers.append(bytes) }
      } catch let error as SnapshotSourceError {
        failure = error
      }
      #expect(failure != nil)
      let decoded = try decode(buffers, size: 600_000)
      #expect(decoded.error?.code == .truncated)
      await #expect(throws: SnapshotSourceError.self) { try await compressor.next() }
    }
  }

  // R-SNAP-18
  @Test("A stream that is reset gives what came before, then the error")
  func resetStream() async throws {
    let text = ByteBuffer(bytes: SampleData.text.bytes(262_144))
    var encoder = try ChunkEncoder(level: 1)
    let encoded = encoder.encode(RawChunk([text])).buffers
    let decompressor = SnapshotDecompressor(
      PieceSource(encoded, failure: PieceSource.Broken()), size: 1_000_000, sourceIsReady: { true })
    #expect(try await decompressor.next() == text)
    await #expect(throws: PieceSource.Broken.self) { try await decompressor.next() }
    await #expect(throws: PieceSource.Broken.self) { try await decompressor.next() }
  }

  @Test("Automatic mode stores on a fast path and compresses on a slow one")
  func automaticMode() async throws {
    let plain = ByteBuffer(bytes: SampleData.text.bytes(3_000_000))
    let slow = try await encode(
      PieceSource([plain]), size: 3_000_000, mode: .automatic, parallelism: 1, linkRate: 1_000)
    // The first chunk goes ahead while nothing is known.
    #expect(slow.figures.storedChunks == 1)
    let fast = try await encode(
      PieceSource([plain]), size: 3_000_000, mode: .automatic, parallelism: 1, linkRate: 1e15)
    // The second chunk is the probe.
    #expect(fast.figures.compressedChunks == 1)
  }

  @Test("Cancelling a task that waits for a busy pool ends the wait, and the work is never done")
  func cancellationWhileQueued() async throws {
    try await withThreadPool(threads: 1) { pool in
      let gate = Gate(blocking: pool)
      defer { gate.open() }
      let text = ByteBuffer(bytes: SampleData.text.bytes(262_144))
      let source = PieceSource([text])
      let compressing = Task {
        let compressor = SnapshotCompressor(
          source, size: 262_144, mode: .on(), parallelism: 2, threadPool: pool)
        return try await compressor.next()
      }
      var encoder = try ChunkEncoder(level: 1)
      let encoded = encoder.encode(RawChunk([text])).buffers
      let decompressing = Task {
        let decompressor = SnapshotDecompressor(PieceSource(encoded), size: 262_144, threadPool: pool)
        return try await decompressor.next()
      }
      // The pool is blocked: neither can end but by cancellation.
      while source.log.pulls < 2 { await Task.yield() }
      compressing.cancel()
      decompressing.cancel()
      await #expect(throws: CancellationError.self) { try await compressing.value }
      await #expect(throws: CancellationError.self) { try await decompressing.value }
    }
  }

  @Test("A cancelled compressor throws for ever")
  func cancelledIsFinal() async throws {
    let source = PieceSource(Array(repeating: ByteBuffer(repeating: 1, count: 262_144), count: 4))
    let compressor = SnapshotCompressor(source, size: 4 * 262_144, mode: .on())
    _ = try await compressor.next()
    let pulls = source.log.pulls
    await compressor.cancel()
    await #expect(throws: CancellationError.self) { try await compressor.next() }
    #expect(source.log.pulls == pulls)
  }

  @Test("A pool that was shut down is an error, not a hang")
  func stoppedPool() async throws {
    let pool = NIOThreadPool(numberOfThreads: 1)
    pool.start()
    try await pool.shutdownGracefully()
    let compressor = SnapshotCompressor(
      PieceSource([ByteBuffer(string: "aaaaaaaaaaaaaaaaaaaaaaa")]), size: 23, mode: .on(), threadPool: pool)
    await #expect(throws: ThreadPoolStopped.self) { try await compressor.next() }
  }
}

@Suite("Jobs on a thread pool")
struct CompressionJobTests {
  @Test("A job gives its result or its error")
  func results() async throws {
    let good = PoolJob(on: NIOThreadPool.singleton) { 42 }
    let bad = PoolJob<Int>(on: NIOThreadPool.singleton) { throw PieceSource.Broken() }
    #expect(try await good.value() == 42)
    await #expect(throws: PieceSource.Broken.self) { try await bad.value() }
  }

  @Test("A job given up before its turn never runs, and lets go of what it holds at once")
  func abandoned() async throws {
    final class Token: Sendable {}
    let didRun = Flag()
    try await withThreadPool(threads: 1) { pool in
      let gate = Gate(blocking: pool)
      var token: Token? = Token()
      weak let observed = token
      let job = PoolJob(on: pool) { [token] in if token != nil { didRun.raise() } }
      token = nil
      #expect(observed != nil)
      job.abandon()
      #expect(observed == nil)
      await #expect(throws: CancellationError.self) { try await job.value() }
      gate.open()
    }
    // The pool was drained.
    #expect(!didRun.isRaised)
  }

  @Test("A job that runs is waited for, cancelled or not")
  func runningJobIsWaitedFor() async throws {
    try await withThreadPool(threads: 1) { pool in
      let isRunning = Flag()
      let mayEnd = Flag()
      let job = PoolJob(on: pool) {
        isRunning.raise()
        while !mayEnd.isRaised {}
        return 7
      }
      while !isRunning.isRaised { await Task.yield() }
      let waiting = Task { try await job.value() }
      waiting.cancel()
      job.abandon()
      mayEnd.raise()
      let value = try await waiting.value
      #expect(value == 7)
    }
  }
}
