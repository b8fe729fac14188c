import NIOCore
import RaftTransport

/// The chunk decoder: any bytes, and sequences that are right but for some damage.
enum ChunkTarget {
  private struct Decoded: Equatable {
    var plain = ByteBuffer()
    var error: ChunkError?
  }

  @Sendable
  static func run(_ bytes: ByteBuffer) throws {
    var input = FuzzInput(bytes)
    let mode = input.choice()
    let pieceSize = input.length(upTo: 4_096)
    if mode & 1 == 0 {
      let size = mode & 2 == 0 ? UInt64(input.short()) : input.word()
      try check(input.rest, size: size, pieceSize: pieceSize)
    } else {
      try checkBuilt(&input, level: 1 + Int(mode >> 1) % 9, pieceSize: pieceSize)
    }
  }

  @discardableResult
  private static func check(_ bytes: ByteBuffer, size: UInt64, pieceSize: Int) throws -> ByteBuffer? {
    let whole = try decode([bytes], size: size)
    let pieces = try decode(bytes.pieces(of: pieceSize), size: size)
    try require(
      whole.error == pieces.error,
      "\(String(describing: whole.error)), in pieces \(String(describing: pieces.error))")
    try require(whole.plain == pieces.plain, "other bytes in pieces of \(pieceSize)")
    try require(UInt64(whole.plain.readableBytes) <= size, "\(whole.plain.readableBytes) bytes of \(size)")
    guard whole.error == nil else { return nil }
    try require(UInt64(whole.plain.readableBytes) == size, "\(whole.plain.readableBytes) bytes for \(size)")
    return whole.plain
  }

  private static func decode(_ pieces: [ByteBuffer], size: UInt64) throws -> Decoded {
    var decoder = try ChunkDecoder(size: size)
    var decoded = Decoded()
    do {
      for piece in pieces {
        var input = piece
        while let plain = try decoder.next(from: &input) {
          try require(plain.readableBytes > 0, "an empty piece of plain bytes")
          decoded.plain.writeImmutableBuffer(plain)
        }
        try require(input.readableBytes == 0, "bytes were left")
      }
      try decoder.finish()
    } catch let error as ChunkError {
      decoded.error = error
    }
    return decoded
  }

  /// A sequence that our own encoder made, of records that the input describes, with damage that it describes, too.
  private static func checkBuilt(_ input: inout FuzzInput, level: Int, pieceSize: Int) throws {
    var encoder = try ChunkEncoder(level: level)
    var plain = ByteBuffer()
    var sequence = ByteBuffer()
    var records = 0
    while records < 12, let kind = input.byte(), kind != 0 {
      records += 1
      let bytes = kind & 1 == 0 ? input.literal(upTo: 255) : FuzzInput.payload(input.length(upTo: 20_000))
      guard bytes.readableBytes > 0 else { continue }
      plain.writeImmutableBuffer(bytes)
      let chunk = RawChunk([bytes])
      let encoded = kind & 2 == 0 ? EncodedChunk.stored(chunk) : encoder.encode(chunk)
      for buffer in encoded.buffers { sequence.writeImmutableBuffer(buffer) }
    }
    let size = UInt64(plain.readableBytes)
    for buffer in EncodedChunk.end(total: size).buffers { sequence.writeImmutableBuffer(buffer) }
    let decoded = try check(sequence, size: size, pieceSize: pieceSize)
    try require(decoded == plain, "what was encoded is not what was decoded")
    guard !input.isEmpty else { return }
    while !input.isEmpty {
      let index = input.short() % sequence.readableBytes
      sequence.setInteger(input.choice(), at: index)
    }
    try check(sequence, size: size, pieceSize: pieceSize)
  }
}
