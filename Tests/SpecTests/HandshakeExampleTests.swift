import NIOCore
import Testing

@testable import StreamMux

@Suite("The example of a handshake")
struct HandshakeExampleTests {
  @Test("Two engines that shake hands write its bytes, step by step")
  func enginesWriteTheExample() throws {
    let example = try #require(try Examples.load().first { $0.name == "handshake" })
    let now = NIODeadline.uptimeNanoseconds(1)
    var dialler = try Self.connection(.dialler, "n1", target: "n2", nonce: 0x10, incarnation: 1, now: now)
    var acceptor = try Self.connection(.acceptor, "n2", target: "", nonce: 0xA0, incarnation: 2, now: now)

    for step in example.steps {
      let isDialler = step.from == "dialler"
      // The acceptor's last step is followed at once by the frame to ignore: a prefix is compared.
      let expected = try ByteBuffer(hex: step.hex)
      let written = isDialler ? Self.turn(&dialler, now: now) : Self.turn(&acceptor, now: now)
      #expect(written.getSlice(at: 0, length: expected.readableBytes) == expected, "\(step.from)")
      if isDialler {
        acceptor.receive(written, now: now)
      } else {
        dialler.receive(written, now: now)
      }
    }
    _ = Self.turn(&dialler, now: now)
    #expect(dialler.phase == .running)
    #expect(acceptor.phase == .running)
  }

  private static func connection(
    _ role: Role, _ id: String, target: String, nonce: UInt8, incarnation: UInt64, now: NIODeadline
  ) throws -> MuxConnection {
    var bytes = ByteBuffer(bytes: (0..<16).map { nonce + $0 })
    let read = bytes.readNonce()
    let hello = try Hello(
      features: [], incarnation: 1_700_000_000_000_000_000 + incarnation, nonce: try #require(read),
      clusterID: "blue", serverID: id, address: role == .dialler ? "10.0.0.1:7000" : "10.0.0.2:7000",
      targetServerID: target)
    return MuxConnection(
      role: role, hello: hello, expectedServerID: role == .dialler ? "n2" : nil, configuration: .defaults,
      seed: 1, now: now)
  }

  /// Accepts where it is asked, and gives all that is to be sent.
  private static func turn(_ connection: inout MuxConnection, now: NIODeadline) -> ByteBuffer {
    while let event = connection.nextEvent() {
      if case .peerAuthenticated = event {
        connection.accept(grantsRoute: connection.role == .acceptor, now: now)
      }
    }
    var written = ByteBuffer()
    while let bytes = connection.nextTransmission(limit: 65_536, now: now) {
      written.writeImmutableBuffer(bytes)
    }
    return written
  }
}
