import NIOCore
import Testing

@testable import RaftTransport

@Suite("zlib owners")
struct CompressionZlibTests {
  private func deflated(
    _ pieces: [ByteBuffer], with deflater: inout Deflater, limit: Int, behind prefix: String = ""
  ) -> ByteBuffer? {
    var output = ByteBuffer(string: prefix)
    let isComplete = deflater.deflate(pieces, into: &output, limit: limit)
    // A stream that did not fit leaves the output as it was.
    if !isComplete { #expect(output == ByteBuffer(string: prefix)) }
    let start = output.readString(length: prefix.utf8.count)
    #expect(start == prefix)
    return isComplete ? output : nil
  }

  private func inflated(
    _ encoded: ByteBuffer, with inflater: inout Inflater, rawLength: Int
  ) -> Result<ByteBuffer, InflateFailure> {
    do throws(InflateFailure) {
      return .success(try inflater.inflate(encoded, rawLength: rawLength))
    } catch {
      return .failure(error)
    }
  }

  @Test(
    "What was deflated inflates to the same, with owners that are used again and again",
    arguments: SampleData.allCases, [1, 6, 9])
  func roundTrip(_ data: SampleData, level: Int) throws {
    var deflater = try Deflater(level: level)
    var inflater = try Inflater()
    for count in [1, 2, 100, 65_535, 262_143, 262_144] {
      let plain = ByteBuffer(bytes: data.bytes(count, seed: UInt64(count)))
      // Room for data that does not shrink.
      let encoded = deflated([plain], with: &deflater, limit: count + 1_000, behind: "in front")
      let back = inflated(try #require(encoded), with: &inflater, rawLength: count)
      #expect(back == .success(plain))
    }
  }

  @Test("Pieces give the same stream as the whole", arguments: [1, 3, 1_000])
  func pieceWise(length: Int) throws {
    var deflater = try Deflater(level: 6)
    let plain = ByteBuffer(bytes: SampleData.text.bytes(20_000))
    let whole = deflated([plain], with: &deflater, limit: 20_000)
    let inPieces = deflated(pieces(plain, of: length), with: &deflater, limit: 20_000)
    #expect(whole != nil)
    #expect(whole == inPieces)
  }

  @Test("A stream that does not fit is refused, and the compressor stays usable")
  func limitIsKept() throws {
    var deflater = try Deflater(level: 1)
    let plain = ByteBuffer(bytes: SampleData.text.bytes(10_000))
    let full = try #require(deflated([plain], with: &deflater, limit: 10_000))
    for limit in [0, 1, 10, full.readableBytes - 1] {
      let whole = deflated([plain], with: &deflater, limit: limit, behind: "x")
      let inPieces = deflated(pieces(plain, of: 999), with: &deflater, limit: limit, behind: "x")
      #expect(whole == nil)
      #expect(inPieces == nil)
    }
    let again = deflated([plain], with: &deflater, limit: full.readableBytes)
    #expect(again == full)
  }

  // R-SNAP-9
  @Test("A bomb is cut at the raw length, and its memory is that of the raw length")
  func bomb() throws {
    var deflater = try Deflater(level: 9)
    let zeros = ByteBuffer(repeating: 0, count: 16 * 1024 * 1024)
    let encoded = try #require(deflated([zeros], with: &deflater, limit: 100_000))
    var inflater = try Inflater()
    for rawLength in [1, 1_000, 262_144] {
      let cut = inflated(encoded, with: &inflater, rawLength: rawLength)
      #expect(cut == .failure(.outputTooLong))
    }
    let whole = inflated(encoded, with: &inflater, rawLength: zeros.readableBytes)
    #expect(whole == .success(zeros))
  }

  @Test("The output takes no more memory than the raw length asks for", arguments: [1, 4_096, 262_144])
  func outputIsBounded(rawLength: Int) throws {
    var deflater = try Deflater(level: 9)
    let zeros = ByteBuffer(repeating: 0, count: rawLength)
    let encoded = try #require(deflated([zeros], with: &deflater, limit: rawLength + 100))
    var inflater = try Inflater()
    let output = try inflater.inflate(encoded, rawLength: rawLength)
    let leastCapacity = ByteBufferAllocator().buffer(capacity: rawLength).capacity
    #expect(output.capacity == leastCapacity)
  }

  @Test("A decompressor that failed works again")
  func failureIsForgotten() throws {
    var deflater = try Deflater(level: 6)
    let plain = ByteBuffer(bytes: SampleData.text.bytes(5_000))
    let encoded = try #require(deflated([plain], with: &deflater, limit: 5_000))
    var inflater = try Inflater()
    for length in 0..<encoded.readableBytes {
      let part = try #require(encoded.getSlice(at: encoded.readerIndex, length: length))
      let cut = inflated(part, with: &inflater, rawLength: 5_000)
      #expect(cut == .failure(.incomplete), "cut at \(length)")
    }
    let whole = inflated(encoded, with: &inflater, rawLength: 5_000)
    #expect(whole == .success(plain))
  }
}
