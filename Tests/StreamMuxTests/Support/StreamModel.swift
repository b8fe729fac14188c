import NIOCore

@testable import StreamMux

/// The bytes of a stream, known to both ends without being stored: a function of seed and position.
///
/// They are slices of one random table whose length is a prime, so that no frame, window or buffer size
/// makes two places look alike.
struct ByteSource {
  private static let period = 65_521
  /// The longest piece that can be asked for.
  static let longest = 4 * period
  private static let table: ByteBuffer = {
    var generator = SplitMix64(seed: 2_718)
    let once = (0..<period).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    return ByteBuffer(bytes: (0..<5).flatMap { _ in once })
  }()

  let seed: UInt64

  func bytes(from position: UInt64, count: Int) -> ByteBuffer {
    let start = Int((position &+ seed &* 7_919) % UInt64(Self.period))
    guard let slice = Self.table.getSlice(at: start, length: count) else {
      preconditionFailure("more than \(Self.longest) bytes at once")
    }
    return slice
  }
}

/// What a test expects of one direction of one stream.
struct DirectionModel {
  let source: ByteSource
  /// Bytes that the owner wrote.
  var written: UInt64 = 0
  var isFinished = false
  /// The writer, or the reader by STOP, gave up: what arrives is only a start of what was written.
  var isBroken = false

  /// Bytes that arrived at the other owner.
  var delivered: UInt64 = 0
  var hasArrivedFinish = false
  var hasArrivedReset = false

  init(seed: UInt64) {
    source = ByteSource(seed: seed)
  }

  /// nil, or what is wrong with these bytes.
  mutating func deliver(_ bytes: ByteBuffer) -> String? {
    if hasArrivedFinish || hasArrivedReset { return "bytes behind the end" }
    guard bytes == source.bytes(from: delivered, count: bytes.readableBytes) else {
      return "wrong bytes behind \(delivered)"
    }
    delivered += UInt64(bytes.readableBytes)
    return delivered <= written ? nil : "more bytes than were written"
  }
}
