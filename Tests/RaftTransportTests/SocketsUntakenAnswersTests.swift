import NIOCore
import RaftTransport
import RaftTransportTesting
import RaftWire
import StreamMux
import Testing

@Suite("Sockets: answers that nobody takes", .timeLimit(.minutes(2)))
struct SocketsUntakenAnswersTests {
  private static let requests = 1_900

  // R-LIM-17
  @Test("A peer that gives no credit for answers is served as far as 64 KiB of them, and goes on with credit")
  func withoutCredit() async throws {
    let server = try await listen("b")
    let echo = EchoConsumer(server)
    try await closing(server) {
      let peer = try await RawPeer.connect(to: server.localAddress)
      try await peer.shakeHands(
        try Hello(
          features: [], initialWindow: 16_384, incarnation: 1, nonce: .random(), clusterID: "sockets",
          serverID: "raw"))
      var bytes = ByteBuffer()
      for _ in 1...Self.requests {
        try WireEncoder(profile: .default).encode(request: AppendEntriesRequest(term: 3), into: &bytes)
      }
      let opening = StreamOpening(trafficClass: .append, encoding: .plain, group: 0)
      await peer.send(DataHeader(stream: 1, opening: .init(opening), byteCount: 0))
      while let piece = bytes.readSlice(length: min(65_536, bytes.readableBytes)), piece.readableBytes > 0 {
        await peer.send(DataHeader(stream: 1, byteCount: piece.readableBytes), piece)
      }
      // An answer without a header has 66 bytes: the window and 64 KiB take about 1,250.
      try await eventually("many are served") { echo.counts.appendEntries > 1_000 }
      for number: UInt64 in 1...10 {
        await peer.send(.ping(number))
        let pong = try await peer.next { frame in if case .pong(number) = frame { true } else { nil } }
        #expect(pong == true)
      }
      #expect(echo.counts.appendEntries < 1_600)
      await peer.send(.credit(stream: 1, limit: 1 << 20))
      try await eventually("all are served") { echo.counts.appendEntries == Self.requests }
      await peer.close()
    }
    await echo.stop()
  }
}
