import NIOCore
import Testing

@testable import RaftWire

@Suite("Copies")
struct CopyTests {
  private static func request() -> AppendEntriesRequest {
    AppendEntriesRequest(
      leader: ByteBuffer(string: "leader"),
      entries: (0..<3).map { LogEntry(index: $0, data: ByteBuffer(repeating: 7, count: 3_000)) })
  }

  @Test("The data of a message within one piece is where it arrived")
  func contiguous() throws {
    var bytes = ByteBuffer()
    try WireEncoder().encode(request: Self.request(), into: &bytes)
    try WireEncoder().encode(request: Self.request(), into: &bytes)
    var assembler = MessageAssembler()
    assembler.append(bytes)
    for _ in 0..<2 {
      let data = try appendedData(assembler.nextCommand())
      #expect(data.count == 3)
      #expect(data.allSatisfy { $0.isWithin(bytes) })
    }
    #expect(try assembler.nextCommand() == nil)
    #expect(assembler.pendingBytes == 0)
  }

  @Test("The data of a message in pieces lies in one buffer made for it")
  func pieces() throws {
    var bytes = ByteBuffer()
    try WireEncoder().encode(request: Self.request(), into: &bytes)
    let pieces = bytes.pieces(of: 4_500)
    var assembler = MessageAssembler()
    for piece in pieces.dropLast() {
      assembler.append(piece)
      #expect(try assembler.nextCommand() == nil)
    }
    #expect(assembler.pendingBytes == pieces.dropLast().reduce(0) { $0 + $1.readableBytes })
    assembler.append(try #require(pieces.last))
    let data = try appendedData(assembler.nextCommand())
    #expect(data.count == 3)
    for (earlier, later) in zip(data, data.dropFirst()) {
      #expect((3_000..<3_200).contains(later.address - earlier.address))
    }
    #expect(data.allSatisfy { slice in !pieces.contains { slice.isWithin($0) } })
  }

  private func appendedData(_ command: WireCommand?) throws -> [ByteBuffer] {
    guard case .appendEntries(let request) = command else {
      Issue.record("not an append: \(String(describing: command))")
      return []
    }
    #expect(request == Self.request())
    return (request.entries ?? []).compactMap { $0?.data }
  }
}

extension ByteBuffer {
  /// Where the readable bytes lie in memory.
  fileprivate var address: Int {
    withUnsafeReadableBytes { Int(bitPattern: $0.baseAddress) }
  }

  fileprivate func isWithin(_ other: ByteBuffer) -> Bool {
    address >= other.address && address + readableBytes <= other.address + other.readableBytes
  }
}
