import NIOCore
import Testing

@testable import RaftWire

@Suite("Values there and back")
struct RoundTripTests {
  @Test(
    "Random messages survive in every profile, but for what the profile does not carry",
    arguments: WireProfile.allCases)
  func messages(profile: WireProfile) throws {
    var generator = SeededGenerator(seed: 42)
    for (name, type) in messageTypes.sorted(by: { $0.key < $1.key }) {
      for _ in 0..<200 { try check(type, name, profile, &generator) }
    }
  }

  private func check<Message: VectorMessage>(
    _: Message.Type, _ name: String, _ profile: WireProfile, _ generator: inout SeededGenerator
  ) throws {
    let message = Message.random(using: &generator)
    var buffer = ByteBuffer(string: "before")
    buffer.moveReaderIndex(forwardBy: 6)
    try WireEncoder(profile: profile).encode(object: message, into: &buffer)
    let bytes = buffer
    let read = try WireDecoder().decodeObject(Message.self, from: &buffer)
    #expect(read == message.asRead(profile), "\(name)")
    #expect(buffer.readableBytes == 0)
    var again = ByteBuffer()
    try WireEncoder(profile: profile).encode(object: read, into: &again)
    #expect(again == bytes, "\(name)")
  }

  @Test("Every field's name is found by its bytes, and no other name is")
  func names() throws {
    for field in WireField.allCases {
      let name = ByteBuffer(staticString: field.name)
      #expect(name.withUnsafeReadableBytes { WireField.named($0) } == field)
      for index in 0..<name.readableBytes {
        var other = name
        other.setInteger(UInt8(ascii: "~"), at: index)
        #expect(other.withUnsafeReadableBytes { WireField.named($0) } == nil)
      }
      let shorter = try #require(name.getSlice(at: 0, length: name.readableBytes - 1))
      #expect(shorter.withUnsafeReadableBytes { WireField.named($0) } == nil)
    }
  }

  // R-PAY-19
  @Test("What is written by default every release can read")
  func defaultProfile() throws {
    #expect(WireProfile.default == .modern)
    var bytes = ByteBuffer()
    try WireEncoder().encode(
      object: LogEntry(appendedAt: LogTimestamp(unixSeconds: 1, nanoseconds: 2)), into: &bytes)
    #expect(bytes.hex.hasPrefix("86aa417070656e6465644174af"))
  }

  @Test("The five profiles differ in what they were made for", arguments: WireProfile.allCases)
  func profiles(profile: WireProfile) throws {
    let request = InstallSnapshotRequest(
      header: RPCHeader(id: ByteBuffer(), address: ByteBuffer()), size: 128)
    var bytes = ByteBuffer()
    try WireEncoder(profile: profile).encode(object: request, into: &bytes)
    let hex = bytes.hex
    #expect(hex.contains("a24944a0") == profile.hasIDAndAddress)
    #expect(hex.contains("a453697a65cc80") == (profile.signedIntegerStyle == .unsignedIfPositive))
    #expect(hex.contains("a453697a65d10080") == (profile.signedIntegerStyle == .alwaysSigned))
    bytes.clear()
    try WireEncoder(profile: profile).encode(object: LogEntry(), into: &bytes)
    let start = bytes.hex.prefix(2 + 22 + 2)
    switch profile {
    case .original: #expect(start.hasPrefix("85a444617461"))
    case .timestamped, .addressed, .modern: #expect(start == "86aa417070656e6465644174af")
    case .modernNewTime: #expect(start == "86aa417070656e6465644174c0")
    }
  }
}
