import NIOCore
import Testing

@testable import RaftTransport

@Suite("Chunk parser and decoder")
struct CompressionParserTests {
  @Test("Random bytes end in an error or wait for more, and never crash", arguments: UInt64(0)..<300)
  func randomBytes(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let noise = ByteBuffer(
      bytes: SampleData.random.bytes(Int.random(in: 0...600, using: &generator), seed: seed))
    let size = UInt64.random(in: 0...UInt64.max, using: &generator)
    let decoded = try decode(randomPieces(noise, upTo: 50, using: &generator), size: size)
    #expect(decoded.error != nil)
  }

  @Test(
    "Good sequences with flipped bytes never crash, nor give more than the size", arguments: UInt64(0)..<300)
  func flippedBytes(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let plain = ByteBuffer(bytes: SampleData.text.bytes(3_000, seed: seed))
    var encoder = try ChunkEncoder(level: 6)
    var cutter = ChunkCutter(chunkLength: 700)
    cutter.append(plain)
    cutter.finish()
    var sequence: [ByteBuffer] = []
    while let chunk = cutter.next() {
      let isStored = Bool.random(using: &generator)
      sequence += isStored ? EncodedChunk.stored(chunk).buffers : encoder.encode(chunk).buffers
    }
    var encoded = joined(sequence + EncodedChunk.end(total: 3_000).buffers)
    #expect(try decode([encoded], size: 3_000) == Decoded(plain: plain, error: nil))
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let index = Int.random(in: 0..<encoded.readableBytes, using: &generator)
      encoded.setInteger(UInt8.random(in: 0...255, using: &generator), at: index)
    }
    let whole = try decode([encoded], size: 3_000)
    #expect(whole.plain.readableBytes <= 3_000)
    let cut = try decode(randomPieces(encoded, upTo: 200, using: &generator), size: 3_000)
    #expect(cut.error == whole.error)
    #expect(whole.error != nil || whole.plain.readableBytes == 3_000)
  }

  @Test("Stored bytes that lie in one piece are not copied")
  func storedBytesAreSlices() throws {
    let chunk = RawChunk([ByteBuffer(bytes: SampleData.random.bytes(100_000))])
    let encoded = joined(EncodedChunk.stored(chunk).buffers)
    var parser = ChunkParser(size: 100_000)
    var input = encoded
    guard case .stored(let bytes) = try parser.next(from: &input) else {
      Issue.record("a stored chunk was expected")
      return
    }
    #expect(bytes.readableBytes == 100_000)
    let source = encoded.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
    let slice = bytes.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
    #expect(slice == source + 9)
  }

  @Test("Stored bytes are given out before their chunk is complete")
  func storedBytesDoNotWait() throws {
    let encoded = joined(EncodedChunk.stored(RawChunk([ByteBuffer(string: "abcdef")])).buffers)
    var parser = ChunkParser(size: 6)
    var head = try #require(encoded.getSlice(at: 0, length: 11))
    let first = try parser.next(from: &head)
    let second = try parser.next(from: &head)
    #expect(first == .stored(ByteBuffer(string: "ab")))
    #expect(second == nil)
  }

  // R-SNAP-13
  @Test("A header is refused before a byte of its chunk has come")
  func headerIsCheckedAtOnce() throws {
    var parser = ChunkParser(size: 10)
    var input = try bytes(hex: "00 00 00 00 0b 00 00 00 0b".filter { $0 != " " })
    #expect(throws: ChunkError.self) { try parser.next(from: &input) }
  }

  @Test("An error stays: neither more bytes nor the end change it")
  func errorIsKept() throws {
    var parser = ChunkParser(size: 10)
    var input = ByteBuffer(repeating: 9, count: 9)
    let first = try #require(throws: ChunkError.self) { try parser.next(from: &input) }
    var more = ByteBuffer(repeating: 0, count: 100)
    #expect(throws: first) { try parser.next(from: &more) }
    #expect(throws: first) { try parser.finish() }
    #expect(first.description == "malformed chunk at byte 0: unknown chunk method 9")
  }

  @Test("A size of 2^64-1 does not overflow")
  func greatestSize() throws {
    let encoded = joined(EncodedChunk.stored(RawChunk([ByteBuffer(string: "ab")])).buffers)
    let decoded = try decode([encoded, joined(EncodedChunk.end(total: 2).buffers)], size: .max)
    #expect(decoded.error?.code == .sizeNotReached)
  }
}

@Suite("Chunk cutter and encoder")
struct CompressionCutterTests {
  // R-SNAP-12
  @Test(
    "Chunks are full but for the last, whatever the pieces",
    arguments: [1, 7, 16_383, 16_384, 50_000, 262_144, 1_000_000])
  func chunksAreFull(pieceLength: Int) {
    let plain = ByteBuffer(bytes: SampleData.random.bytes(600_000))
    var cutter = ChunkCutter()
    var chunks: [RawChunk] = []
    for piece in pieces(plain, of: pieceLength) {
      cutter.append(piece)
      while let chunk = cutter.next() { chunks.append(chunk) }
    }
    cutter.finish()
    while let chunk = cutter.next() { chunks.append(chunk) }
    #expect(chunks.map(\.count) == [262_144, 262_144, 75_712])
    #expect(joined(chunks.flatMap(\.pieces)) == plain)
    // Bounded, however small the source's pieces.
    #expect(chunks.allSatisfy { $0.pieces.count <= 262_144 / 16_384 + 2 })
  }

  @Test("Random pieces keep their order and every byte", arguments: UInt64(0)..<20)
  func randomPieceLengths(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let plain = ByteBuffer(bytes: SampleData.random.bytes(300_000, seed: seed))
    var cutter = ChunkCutter(chunkLength: 50_000)
    var output: [ByteBuffer] = []
    for piece in randomPieces(plain, upTo: 40_000, using: &generator) {
      cutter.append(piece)
      if Bool.random(using: &generator), let chunk = cutter.next() { output += chunk.pieces }
    }
    cutter.finish()
    while let chunk = cutter.next() { output += chunk.pieces }
    #expect(joined(output) == plain)
    #expect(cutter.waitingBytes == 0)
  }

  @Test("What does not shrink becomes a stored chunk")
  func randomDataIsStored() throws {
    var encoder = try ChunkEncoder(level: 9)
    let random = RawChunk([ByteBuffer(bytes: SampleData.random.bytes(10_000))])
    let single = RawChunk([ByteBuffer(string: "a")])
    for chunk in [random, single] {
      let encoded = encoder.encode(chunk)
      #expect(encoded == .stored(chunk))
    }
  }

  @Test("What shrinks becomes a zlib chunk that is smaller")
  func textIsCompressed() throws {
    var encoder = try ChunkEncoder(level: 1)
    let text = RawChunk([ByteBuffer(bytes: SampleData.text.bytes(10_000))])
    let encoded = encoder.encode(text)
    #expect(encoded.method == .zlib)
    #expect(encoded.rawLength == 10_000)
    #expect(encoded.encodedLength < 10_000)
    #expect(joined(encoded.buffers).readableBytes == encoded.encodedLength + 9)
  }
}
