import NIOCore
import Testing

@testable import RaftTransport

@Suite("Exact size of a source")
struct CompressionSourceTests {
  private func drain(_ source: PieceSource, size: UInt64) async -> (bytes: ByteBuffer, error: (any Error)?) {
    var guarded = ExactSizeSource(source, size: size)
    var output = ByteBuffer()
    do {
      while let piece = try await guarded.next() { output.writeImmutableBuffer(piece) }
      return (output, nil)
    } catch {
      return (output, error)
    }
  }

  @Test("The announced bytes go through, empty pieces left out", arguments: [0, 1, 3, 10_000])
  func exact(size: Int) async throws {
    let plain = ByteBuffer(bytes: SampleData.text.bytes(size))
    let cut = [ByteBuffer()] + pieces(plain, of: 3) + [ByteBuffer()]
    let result = await drain(PieceSource(cut), size: UInt64(size))
    #expect(result.bytes == plain)
    #expect(result.error == nil)
  }

  @Test("A source that ends early is an error, never an end", arguments: [1, 2, 10])
  func short(missing: UInt64) async throws {
    let result = await drain(PieceSource([ByteBuffer(string: "abc")]), size: 3 + missing)
    guard case SnapshotSourceError.sourceTooShort(let size, let delivered)? = result.error else {
      Issue.record("\(String(describing: result.error))")
      return
    }
    #expect(size == 3 + missing)
    #expect(delivered == 3)
  }

  // R-SNAP-15
  @Test(
    "Of a source that goes on, not a byte beyond the size is passed on",
    arguments: [[3, 1], [4], [1, 1, 1, 1, 1], [2, 5]])
  func long(lengths: [Int]) async throws {
    let source = PieceSource(lengths.map { ByteBuffer(repeating: 1, count: $0) })
    let result = await drain(source, size: 3)
    guard case SnapshotSourceError.sourceTooLong(size: 3)? = result.error else {
      Issue.record("\(String(describing: result.error))")
      return
    }
    #expect(result.bytes.readableBytes <= 3)
  }

  @Test("What the source throws comes through, at the end, too")
  func failing() async throws {
    for size in [3, 4] as [UInt64] {
      let result = await drain(
        PieceSource([ByteBuffer(string: "abc")], failure: PieceSource.Broken()), size: size)
      guard case SnapshotSourceError.sourceFailed(let underlying)? = result.error else {
        Issue.record("\(String(describing: result.error))")
        return
      }
      #expect(underlying is PieceSource.Broken)
    }
  }

  @Test("After an error the source is not asked again, and the error stays")
  func errorIsKept() async throws {
    let source = PieceSource([ByteBuffer(string: "abcd")])
    var guarded = ExactSizeSource(source, size: 3)
    for _ in 0..<3 {
      do {
        _ = try await guarded.next()
        Issue.record("an error was expected")
      } catch is SnapshotSourceError {}
    }
    #expect(source.log.pulls == 1)
  }
}
