import Foundation
import NIOCore
import NIOPosix
import Synchronization

@testable import RaftTransport

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

enum SampleData: String, CaseIterable, Sendable {
  case text
  case random
  case zeros
  /// Text and random bytes in turn, 100 KB each.
  case mixed

  func bytes(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    switch self {
    case .zeros:
      return [UInt8](repeating: 0, count: count)
    case .random:
      return Self.random(count, using: &generator)
    case .text:
      return Self.text(count, using: &generator)
    case .mixed:
      var bytes: [UInt8] = []
      bytes.reserveCapacity(count + 200_000)
      while bytes.count < count {
        bytes += Self.text(100_000, using: &generator)
        bytes += Self.random(100_000, using: &generator)
      }
      return Array(bytes.prefix(count))
    }
  }

  private static func random(_ count: Int, using generator: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
      withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
    }
    return Array(bytes.prefix(count))
  }

  private static func text(_ count: Int, using generator: inout SeededGenerator) -> [UInt8] {
    let words = ["term", "index", "leader", "vote", "snapshot", "commit", "peer", "log", "=", "\n"]
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 32)
    while bytes.count < count {
      bytes.append(contentsOf: (words[Int(generator.next() % 10)] + " ").utf8)
      bytes.append(contentsOf: String(generator.next() % 10_000).utf8)
    }
    return Array(bytes.prefix(count))
  }
}

func bytes(hex: String) throws -> ByteBuffer {
  try ByteBuffer(plainHexEncodedBytes: hex)
}

/// Cuts bytes into pieces of the given length, the last one shorter.
func pieces(_ bytes: ByteBuffer, of length: Int) -> [ByteBuffer] {
  var bytes = bytes
  var result: [ByteBuffer] = []
  while bytes.readableBytes > 0, let piece = bytes.readSlice(length: min(length, bytes.readableBytes)) {
    result.append(piece)
  }
  return result
}

/// Cuts bytes into pieces of random lengths.
func randomPieces(
  _ bytes: ByteBuffer, upTo most: Int, using generator: inout SeededGenerator
) -> [ByteBuffer] {
  var bytes = bytes
  var result: [ByteBuffer] = []
  while bytes.readableBytes > 0 {
    let length = Int.random(in: 1...min(most, bytes.readableBytes), using: &generator)
    if let piece = bytes.readSlice(length: length) { result.append(piece) }
  }
  return result
}

func joined(_ buffers: [ByteBuffer]) -> ByteBuffer {
  var result = ByteBuffer()
  for buffer in buffers { result.writeImmutableBuffer(buffer) }
  return result
}

/// What a decoder made of a sequence of chunks.
struct Decoded: Equatable {
  var plain: ByteBuffer
  var error: ChunkError?
}

/// Decodes on this thread.
func decode(_ pieces: [ByteBuffer], size: UInt64) throws -> Decoded {
  var decoder = try ChunkDecoder(size: size)
  var decoded = Decoded(plain: ByteBuffer(), error: nil)
  do {
    for piece in pieces {
      var input = piece
      while let bytes = try decoder.next(from: &input) { decoded.plain.writeImmutableBuffer(bytes) }
    }
    try decoder.finish()
  } catch let error as ChunkError {
    decoded.error = error
  }
  return decoded
}

/// Gives prepared pieces, then ends or throws; counts how often it was asked.
struct PieceSource: AsyncSequence, Sendable {
  typealias Element = ByteBuffer

  struct Broken: Error, Equatable {}

  final class Log: Sendable {
    private let count = Mutex(0)
    var pulls: Int { count.withLock { $0 } }
    func pulled() { count.withLock { $0 += 1 } }
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    var rest: ArraySlice<ByteBuffer>
    let failure: (any Error)?
    let log: Log

    mutating func next() async throws -> ByteBuffer? {
      log.pulled()
      if let piece = rest.popFirst() { return piece }
      if let failure { throw failure }
      return nil
    }
  }

  let pieces: [ByteBuffer]
  var failure: (any Error)?
  let log = Log()

  init(_ pieces: [ByteBuffer], failure: (any Error)? = nil) {
    self.pieces = pieces
    self.failure = failure
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(rest: pieces[...], failure: failure, log: log)
  }
}

/// Runs `body` with a pool of its own, and shuts it down whatever happens.
func withThreadPool<Result: Sendable>(
  threads: Int, _ body: @Sendable (NIOThreadPool) async throws -> Result
) async throws -> Result {
  let pool = NIOThreadPool(numberOfThreads: threads)
  pool.start()
  do {
    let result = try await body(pool)
    try await pool.shutdownGracefully()
    return result
  } catch {
    try await pool.shutdownGracefully()
    throw error
  }
}

/// Holds a thread of a pool until it is opened.
final class Gate: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)

  init(blocking pool: NIOThreadPool) {
    pool.submit { _ in self.semaphore.wait() }
  }

  func open() { semaphore.signal() }
}

/// Something that happened, seen from any thread.
final class Flag: Sendable {
  private let value = Mutex(false)
  var isRaised: Bool { value.withLock { $0 } }
  func raise() { value.withLock { $0 = true } }
}
