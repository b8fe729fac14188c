import NIOCore
import Testing

@testable import RaftWire

@Suite("Values without an encoding")
struct EncoderRefusalTests {
  private static let refusedOffsets: [Int32] = [-60, -61, -119, 32_768 * 60, -32_769 * 60, .max, .min]
  private static let takenOffsets: [Int32] = [-120, -59, -1, 0, 1, 59, 32_767 * 60 + 59, -32_768 * 60 - 59]

  // R-PAY-16
  @Test("A zone that Go refuses is refused, and the buffer stays as it was", arguments: refusedOffsets)
  func refused(offset: Int32) throws {
    let entry = LogEntry(appendedAt: LogTimestamp(unixSeconds: 0, location: .offset(seconds: offset)))
    let request = AppendEntriesRequest(term: 1, entries: [LogEntry(), entry])
    for profile in [WireProfile.timestamped, .addressed, .modern] {
      var buffer = ByteBuffer(string: "before")
      let before = buffer
      let error = #expect(throws: WireError.self) {
        try WireEncoder(profile: profile).encode(request: request, into: &buffer)
      }
      #expect(error?.code == .notEncodable)
      #expect(error?.field == "AppendedAt")
      #expect(buffer == before)
      #expect(buffer.writerIndex == before.writerIndex)
    }
    for profile in [WireProfile.original, .modernNewTime] {
      var buffer = ByteBuffer()
      try WireEncoder(profile: profile).encode(request: request, into: &buffer)
      #expect(buffer.readableBytes > 0)
    }
  }

  @Test("A zone beside those that Go refuses is written and read", arguments: takenOffsets)
  func taken(offset: Int32) throws {
    let entry = LogEntry(appendedAt: LogTimestamp(unixSeconds: 5, location: .offset(seconds: offset)))
    var buffer = ByteBuffer()
    try WireEncoder().encode(object: entry, into: &buffer)
    #expect(try WireDecoder().decodeObject(LogEntry.self, from: &buffer) == entry)
  }

  @Test("Nanoseconds that are no 30 bits are refused", arguments: [-1, 1 << 30, .max] as [Int32])
  func nanoseconds(value: Int32) {
    let entry = LogEntry(appendedAt: LogTimestamp(unixSeconds: 0, nanoseconds: value))
    for profile in [WireProfile.modern, .modernNewTime] {
      var buffer = ByteBuffer()
      #expect(throws: WireError.self) {
        try WireEncoder(profile: profile).encode(object: entry, into: &buffer)
      }
      #expect(buffer.writerIndex == 0)
    }
  }
}
