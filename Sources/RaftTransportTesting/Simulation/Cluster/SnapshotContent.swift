internal import NIOCore

/// The bytes of one simulated snapshot: each place of each snapshot has its own, so that what is lost or moved shows.
struct SnapshotContent: Sendable {
  private static let varied: [UInt8] = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ $0 >> 8) }
  private static let monotonous: [UInt8] = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 >> 9) }

  let number: UInt64
  let size: Int
  let isMonotonous: Bool

  func bytes(_ count: Int, from offset: Int) -> ByteBuffer {
    let period = isMonotonous ? Self.monotonous : Self.varied
    var buffer = ByteBuffer()
    buffer.reserveCapacity(count)
    var position = (offset + Int(truncatingIfNeeded: number % 7_919) * 31) % period.count
    while buffer.readableBytes < count {
      let end = min(period.count, position + count - buffer.readableBytes)
      buffer.writeBytes(period[position..<end])
      position = 0
    }
    return buffer
  }
}

/// What a source gives.
enum SourceBehaviour: Sendable {
  case whole
  case inMemory
  /// Ends, throws or goes on after so many bytes, which are not those that were announced.
  case endsAfter(Int)
  case throwsAfter(Int)

  var isBad: Bool {
    switch self {
    case .whole, .inMemory: false
    case .endsAfter, .throwsAfter: true
    }
  }
}

struct SourceBroke: Error {}

/// A snapshot's source that takes its time on the virtual clock.
struct SimulatedSource: AsyncSequence, Sendable {
  let content: SnapshotContent
  let behaviour: SourceBehaviour
  let server: SimulatedServer
  let random: SimulationRandom
  /// The longest pause between two pieces, in nanoseconds.
  let longestPause: Int64

  func makeAsyncIterator() -> Iterator { Iterator(source: self) }

  struct Iterator: AsyncIteratorProtocol {
    let source: SimulatedSource
    var offset = 0

    mutating func next() async throws -> ByteBuffer? {
      let pause = source.longestPause > 0 ? source.random.duration(upTo: source.longestPause) : 0
      await source.server.pause(pause)
      let end: Int
      switch source.behaviour {
      case .whole, .inMemory: end = source.content.size
      case .endsAfter(let count), .throwsAfter(let count): end = count
      }
      if offset >= end {
        if case .throwsAfter = source.behaviour { throw SourceBroke() }
        return nil
      }
      let count = Swift.min(end - offset, source.random.next(in: 1...100_000))
      defer { offset += count }
      return source.content.bytes(count, from: offset)
    }
  }
}
