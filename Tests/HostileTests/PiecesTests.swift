import NIOCore
import RaftWire
import StreamMux
import Testing

@testable import RaftTransport

@Suite("Bytes in small pieces")
struct PiecesTests {
  // R-LIM-13
  @Test(
    "A window of single bytes takes few buffers, and the bytes are the same", arguments: [1, 2, 63, 1_000])
  func smallPieces(size: Int) {
    var queue = PieceQueue()
    var expected = ByteBuffer()
    for index in 0..<(65_536 / size) {
      let piece = ByteBuffer(repeating: UInt8(truncatingIfNeeded: index), count: size)
      queue.append(piece)
      expected.writeImmutableBuffer(piece)
    }
    #expect(queue.pieceCount <= 65_536 / 1_024)
    #expect(queue.count == expected.readableBytes)
    var found = ByteBuffer()
    while let piece = queue.popFirst() { found.writeImmutableBuffer(piece) }
    #expect(found == expected)
    #expect(queue.count == 0 && queue.isEmpty)
  }

  @Test("Large pieces are not copied, whatever lies between them")
  func largePieces() {
    var queue = PieceQueue()
    let large = ByteBuffer(repeating: 7, count: 4_096)
    for _ in 0..<3 {
      queue.append(large)
      queue.append(ByteBuffer(repeating: 1, count: 3))
      queue.append(ByteBuffer(repeating: 2, count: 3))
    }
    var kept = 0
    func address(_ buffer: ByteBuffer) -> UnsafeRawPointer? {
      buffer.withUnsafeReadableBytes { $0.baseAddress }
    }
    while let piece = queue.popFirst() {
      if address(piece) == address(large) { kept += 1 }
    }
    #expect(kept == 3)
  }

  @Test("What is taken out between small pieces is never written to again")
  func takenOut() {
    var queue = PieceQueue()
    var found = ByteBuffer()
    var expected = ByteBuffer()
    for index in 0..<1_000 {
      let piece = ByteBuffer(repeating: UInt8(truncatingIfNeeded: index), count: index % 5 + 1)
      queue.append(piece)
      expected.writeImmutableBuffer(piece)
      if index % 7 == 0, let taken = queue.popFirst() { found.writeImmutableBuffer(taken) }
    }
    while let taken = queue.popFirst() { found.writeImmutableBuffer(taken) }
    #expect(found == expected)
  }

  @Test("After a burst the owners of streams take no more room than those that are left need")
  func owners() {
    final class Owner: StreamOwner {
      func streamReceived(_ bytes: ByteBuffer, _ stream: StreamKey, _ driver: ConnectionDriver) {}
      func streamFinished(_ stream: StreamKey, _ driver: ConnectionDriver) {}
      func streamEnded(_ end: StreamEnd, _ stream: StreamKey, _ driver: ConnectionDriver) {}
    }
    var owners = StreamOwners()
    func key(_ slot: UInt32) -> StreamKey { StreamKey(slot: slot, generation: 0) }
    for slot: UInt32 in 0..<10_000 { owners[key(slot)] = Owner() }
    // They end in any order; one of the first stays.
    for slot: UInt32 in 0..<10_000 where slot % 2 == 1 { owners[key(slot)] = nil }
    for slot: UInt32 in 0..<10_000 where slot % 2 == 0 && slot != 4 { owners[key(slot)] = nil }
    #expect(owners.all.map(\.stream) == [key(4)])
    #expect(owners.span == 5)
    #expect(owners.capacity <= 2 * StreamOwners.keptCapacity)
    // And it goes on to work.
    owners[key(9)] = Owner()
    #expect(owners.all.map(\.stream) == [key(4), key(9)])
    #expect(owners[key(4)] != nil && owners[key(5)] == nil)
  }
}
