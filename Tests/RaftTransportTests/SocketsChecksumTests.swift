import Logging
import NIOCore
import NIOPosix
import RaftTransport
import RaftTransportTesting
import StreamMux
import Testing

/// Checksums are agreed on where the other end is not on the loopback interface; the machine's own outer address is
/// such a one, though its bytes never leave the machine either.
@Suite("Sockets: checksums", .timeLimit(.minutes(5)))
struct SocketsChecksumTests {
  private static let outerAddress: String? = {
    let devices = (try? System.enumerateDevices()) ?? []
    return devices.compactMap(\.address).first { address in
      guard case .v4 = address else { return false }
      return address.ipAddress?.hasPrefix("127.") == false
    }?.ipAddress
  }()

  @Test("Calls go through with checksums", .enabled(if: outerAddress != nil))
  func calls() async throws {
    let host = try #require(Self.outerAddress)
    let one = try await listen("a", on: "\(host):0")
    let other = try await listen("b", on: "\(host):0")
    let echoes = [EchoConsumer(one), EchoConsumer(other)]
    try await closing(one, other) {
      for number in 1...20 as ClosedRange<UInt64> {
        try await one.proveCall(to: other, as: "b", number: number)
        try await other.proveCall(to: one, as: "a", number: number)
      }
      let size = 3 << 20
      let response = try await one.installSnapshot(
        id: "b", target: other.localAddress, InstallSnapshotRequest(size: Int64(size)),
        data: SnapshotSource(ByteBuffer(repeating: 1, count: size)))
      #expect(response.success)
      #expect(await one.statistics().connections.count == 1)
    }
    for echo in echoes { await echo.stop() }
  }

  @Test(
    "A frame with a wrong bit ends the connection with its reason", .enabled(if: outerAddress != nil),
    arguments: 0..<28)
  func corruption(offset: Int) async throws {
    let log = LogCapture()
    let server = try await listen("b", on: "\(try #require(Self.outerAddress)):0", logger: log.logger)
    try await closing(server) {
      let peer = try await RawPeer.connect(to: server.localAddress)
      try await peer.shakeHands(try RawPeer.hello(features: .crc32))
      await peer.send(.ping(1))
      let answered = try await peer.next { frame in if case .pong(let number) = frame { number } else { nil }
      }
      #expect(answered == 1, "whole frames are answered")

      var frame = ByteBuffer()
      FrameEncoder(isChecksummed: true).write(.ping(2), into: &frame)
      let byte = try #require(frame.getInteger(at: offset, as: UInt8.self))
      frame.setInteger(byte ^ 0x01, at: offset)
      await peer.send(frame)
      // A header that is wrong by itself is found before its checksum is read; a length that is wrong, too.
      let code = try await peer.nextEnd()
      if offset >= 16 {
        #expect(code == .checksumMismatch)
        try await log.expect("the checksum of PING on stream 0 is wrong", level: .warning)
      } else {
        #expect(code != nil)
        try await log.expect("connection ended", level: .warning)
      }
      await peer.close()
    }
  }
}
