import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import RaftTransport

@Suite("Sources of snapshots")
struct SnapshotSourceTests {
  /// Every piece, copied at once, so that memory that is used again shows.
  private func read(_ source: SnapshotSource) async throws -> ByteBuffer {
    var whole = ByteBuffer()
    for try await piece in source {
      #expect(piece.readableBytes > 0)
      whole.writeImmutableBuffer(piece)
    }
    return whole
  }

  private func withFile(
    _ bytes: [UInt8], _ body: (String) async throws -> Void
  ) async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "source-\(UUID().uuidString)").path
    try Data(bytes).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
  }

  @Test(
    "A file comes as it is, whatever its length",
    arguments: [
      0, 1, FileReader.pieceSize - 1, FileReader.pieceSize, FileReader.pieceSize + 1,
      (FileReader.readAhead + 2) * FileReader.pieceSize, 7_654_321,
    ])
  func file(size: Int) async throws {
    let bytes = SampleData.random.bytes(size)
    try await withFile(bytes) { path in
      let source = SnapshotSource(contentsOfFile: path)
      let first = try await read(source)
      #expect(first == ByteBuffer(bytes: bytes))
      // Each reading begins anew.
      let second = try await read(source)
      #expect(second == first)
    }
  }

  @Test("Pieces that are kept are not written over by later ones")
  func keptPieces() async throws {
    let bytes = SampleData.random.bytes(12 * FileReader.pieceSize)
    try await withFile(bytes) { path in
      var pieces: [ByteBuffer] = []
      for try await piece in SnapshotSource(contentsOfFile: path) { pieces.append(piece) }
      #expect(joined(pieces) == ByteBuffer(bytes: bytes))
    }
  }

  @Test("A file that is not there is an error")
  func missingFile() async throws {
    let iterator = SnapshotSource(contentsOfFile: "/nowhere/at/all").makeAsyncIterator()
    var copy = iterator
    await #expect(throws: IOError.self) { try await copy.next() }
  }

  @Test("A file is read no further ahead than stated, and not at all before it is asked for")
  func readAheadIsBounded() async throws {
    let bytes = [UInt8](repeating: 1, count: 20 * FileReader.pieceSize)
    try await withFile(bytes) { path in
      try await withThreadPool(threads: 1) { pool in
        let reader = FileReader(path: path, threads: pool)
        #expect(reader.jobsUnderWay == 0)
        _ = try await reader.next()
        #expect(reader.jobsUnderWay == FileReader.readAhead - 1)
        _ = try await reader.next()
        #expect(reader.jobsUnderWay == FileReader.readAhead - 1)
      }
    }
  }

  @Test("A reader that is cancelled while the threads are busy stops waiting")
  func cancelledReader() async throws {
    try await withFile([1, 2, 3]) { path in
      try await withThreadPool(threads: 1) { pool in
        let gate = Gate(blocking: pool)
        defer { gate.open() }
        let reading = Task {
          let reader = FileReader(path: path, threads: pool)
          return try await reader.next()
        }
        reading.cancel()
        await #expect(throws: CancellationError.self) { try await reading.value }
      }
    }
  }

  @Test("Several buffers come in order, empty ones left out")
  func severalBuffers() async throws {
    let bytes = SampleData.random.bytes(1_000_000)
    let cut = [ByteBuffer()] + pieces(ByteBuffer(bytes: bytes), of: 300_001) + [ByteBuffer(), ByteBuffer()]
    let source = SnapshotSource(cut)
    #expect(source.memory != nil)
    #expect(try await read(source) == ByteBuffer(bytes: bytes))
    #expect(try await read(SnapshotSource([])).readableBytes == 0)
  }

  @Test("A buffer beyond what can be sliced comes as it is, alone or among others")
  func largeBuffer() async throws {
    let bytes = SampleData.random.bytes(1_000_003)
    var large = ByteBufferAllocator().buffer(capacity: (1 << 24) + 2_000_000)
    for _ in 0..<17 { large.writeBytes(bytes) }
    large.moveReaderIndex(forwardBy: 5)
    #expect(SnapshotSource(large).memory == nil)
    #expect(try await read(SnapshotSource(large)) == large)
    let small = ByteBuffer(string: "abc")
    #expect(try await read(SnapshotSource([small, large, small])) == joined([small, large, small]))
  }

  @Test("Memory is used again when it was let go of, and never before")
  func recycling() {
    var memory = RecycledBuffers(capacity: 64, limit: 2)
    func fill(_ byte: UInt8) -> ByteBuffer {
      var buffer = memory.take()
      buffer.writeRepeatingByte(byte, count: 64)
      memory.keep(buffer)
      return buffer
    }
    func address(_ buffer: ByteBuffer) -> Int {
      buffer.withUnsafeReadableBytes { Int(bitPattern: $0.baseAddress) }
    }
    var held: [ByteBuffer] = [fill(1), fill(2), fill(3)]
    #expect(Set(held.map(address)).count == 3)
    #expect(held == [1, 2, 3].map { ByteBuffer(repeating: $0, count: 64) })
    let first = address(held[0])
    held.removeFirst()
    held.append(fill(4))
    #expect(address(held[2]) == first)
    #expect(held == [2, 3, 4].map { ByteBuffer(repeating: $0, count: 64) })
  }
}
