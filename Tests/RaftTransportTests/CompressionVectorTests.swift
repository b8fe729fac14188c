import Foundation
import NIOCore
import Testing

@testable import RaftTransport

/// `Spec/vectors/chunks.json`: made without the code under test.
struct ChunkVectors: Decodable {
  struct Valid: Decodable, CustomTestStringConvertible {
    var name: String
    var size: UInt64
    var plain: Plain
    var encoded: String
    var testDescription: String { name }
  }

  struct Invalid: Decodable, CustomTestStringConvertible {
    var name: String
    var size: UInt64
    var encoded: String
    var error: String
    var offset: UInt64
    var testDescription: String { name }
  }

  enum Plain: Decodable {
    case hex(String)
    case repeated(UInt8, count: Int)

    init(from decoder: any Decoder) throws {
      struct Repeated: Decodable {
        var `repeat`: String
        var count: Int
      }
      if let repeated = try? Repeated(from: decoder) {
        let byte = try #require(UInt8(repeated.repeat, radix: 16))
        self = .repeated(byte, count: repeated.count)
      } else {
        self = .hex(try decoder.singleValueContainer().decode(String.self))
      }
    }

    func buffer() throws -> ByteBuffer {
      switch self {
      case .hex(let hex): try bytes(hex: hex)
      case .repeated(let byte, let count): ByteBuffer(repeating: byte, count: count)
      }
    }
  }

  var valid: [Valid]
  var invalid: [Invalid]

  static func load() throws -> ChunkVectors {
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Spec/vectors/chunks.json").standardizedFileURL
    return try JSONDecoder().decode(ChunkVectors.self, from: Data(contentsOf: url))
  }
}

@Suite("Chunk vectors")
struct CompressionVectorTests {
  @Test("The file holds both kinds, and an invalid sequence for every error")
  func vectorsAreComplete() throws {
    let vectors = try ChunkVectors.load()
    #expect(!vectors.valid.isEmpty)
    #expect(Set(vectors.invalid.map(\.error)) == Set(ChunkError.Code.allCases.map(\.rawValue)))
  }

  // R-SNAP-2
  @Test(
    "A valid sequence gives its plain bytes, whole and byte by byte", arguments: try ChunkVectors.load().valid
  )
  func validSequence(_ vector: ChunkVectors.Valid) throws {
    let encoded = try bytes(hex: vector.encoded)
    let expected = Decoded(plain: try vector.plain.buffer(), error: nil)
    #expect(try decode([encoded], size: vector.size) == expected)
    #expect(try decode(pieces(encoded, of: 1), size: vector.size) == expected)
  }

  // R-SNAP-2
  @Test(
    "A valid sequence gives its plain bytes at every split in two", arguments: try ChunkVectors.load().valid)
  func everySplit(_ vector: ChunkVectors.Valid) throws {
    let encoded = try bytes(hex: vector.encoded)
    let expected = Decoded(plain: try vector.plain.buffer(), error: nil)
    for cut in 0...encoded.readableBytes {
      var rest = encoded
      let head = try #require(encoded.getSlice(at: encoded.readerIndex, length: cut))
      rest.moveReaderIndex(forwardBy: cut)
      #expect(try decode([head, rest], size: vector.size) == expected, "cut at \(cut)")
    }
  }

  @Test(
    "A valid sequence that ends early is refused as truncated, at every byte",
    arguments: try ChunkVectors.load().valid)
  func everyTruncation(_ vector: ChunkVectors.Valid) throws {
    let encoded = try bytes(hex: vector.encoded)
    for length in 0..<encoded.readableBytes {
      let head = try #require(encoded.getSlice(at: encoded.readerIndex, length: length))
      let decoded = try decode([head], size: vector.size)
      #expect(decoded.error?.code == .truncated, "cut at \(length)")
      #expect(decoded.error?.offset == UInt64(length))
    }
  }

  // R-SNAP-3, R-SNAP-4, R-SNAP-5, R-SNAP-6, R-SNAP-7, R-SNAP-8, R-SNAP-9, R-SNAP-10, R-SNAP-11
  @Test(
    "An invalid sequence is refused with its error at its place, whole and byte by byte",
    arguments: try ChunkVectors.load().invalid)
  func invalidSequence(_ vector: ChunkVectors.Invalid) throws {
    let encoded = try bytes(hex: vector.encoded)
    let whole = try decode([encoded], size: vector.size)
    #expect(whole.error?.code.rawValue == vector.error, "\(String(describing: whole.error))")
    #expect(whole.error?.offset == vector.offset)
    #expect(try decode(pieces(encoded, of: 1), size: vector.size) == whole)
  }

  @Test(
    "The decompressor on a thread pool agrees, error and bytes in front of it included", arguments: [1, 2],
    [1, 7, 1_000_000])
  func decompressorAgrees(parallelism: Int, pieceLength: Int) async throws {
    let vectors = try ChunkVectors.load()
    let sequences =
      vectors.valid.map { ($0.name, $0.size, $0.encoded) }
      + vectors.invalid.map { ($0.name, $0.size, $0.encoded) }
    for (name, size, hex) in sequences {
      let encoded = try bytes(hex: hex)
      let expected = try decode([encoded], size: size)
      let decompressor = SnapshotDecompressor(
        PieceSource(pieces(encoded, of: pieceLength)), size: size, parallelism: parallelism,
        sourceIsReady: { true })
      var actual = Decoded(plain: ByteBuffer(), error: nil)
      do {
        while let bytes = try await decompressor.next() { actual.plain.writeImmutableBuffer(bytes) }
      } catch let error as ChunkError {
        actual.error = error
        await #expect(throws: error) { try await decompressor.next() }
      }
      #expect(actual == expected, "\(name)")
    }
  }
}
