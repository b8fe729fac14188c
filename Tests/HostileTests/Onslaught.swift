import NIOCore
import RaftTransport
import RaftWire
import StreamMux
import Testing

/// What strangers and false friends do to a server at once, beside the attacks on single limits (``LimitAttack``). Those
/// that have to be stopped check how; the others are only in the way.
struct Onslaught: Sendable {
  let name: String
  let carryOut: @Sendable (ServerAddress) async throws -> Void

  /// A message limit at which a large message is quickly sent.
  static let maximumMessageBytes = 1 << 20

  static let all: [Onslaught] = [
    Onslaught(name: "messages that are too large or none") { server in
      let peer = try await RawPeer.established(to: server, as: "malformed")
      for (index, (bytes, code)) in [
        (try large(), ErrorCode.messageTooLarge), (ByteBuffer(bytes: [0x09, 0x80]), .malformedMessage),
        (ByteBuffer(bytes: [0x00, 0xC1]), .malformedMessage),
      ].enumerated() {
        let stream = UInt64(1 + 2 * index)
        await peer.open(stream, .append, bytes)
        #expect(try await peer.nextStop(of: stream) == code)
      }
      await peer.close()
    },
    Onslaught(name: "chunks that are none, and bombs") { server in
      let peer = try await RawPeer.established(to: server, as: "bomber")
      // 300 bytes, says the chunk, which are a megabyte; and one that is larger than a chunk may be.
      for (index, (raw, encoded)) in [(300, 24), (262_145, 262_145)].enumerated() {
        let stream = UInt64(1 + 2 * index)
        var bytes = try bytes(of: InstallSnapshotRequest(term: 1, size: 1 << 20))
        bytes.writeMultipleIntegers(UInt8(1), UInt32(raw), UInt32(encoded))
        bytes.writeBytes([
          0x78, 0xDA, 0xED, 0xC1, 0x01, 0x01, 0, 0, 0, 0x80, 0x90, 0xFE, 0xAF, 0xEE, 0x08, 0x0A,
        ])
        bytes.writeRepeatingByte(0, count: 8)
        await peer.open(stream, .snapshot, encoding: .chunked, bytes)
        #expect(try await peer.nextStop(of: stream) == .malformedChunk)
      }
      await peer.close()
    },
    Onslaught(name: "a peer that asks and never reads") { server in
      let peer = try await RawPeer.established(to: server, as: "slow")
      await peer.stopReading()
      for index: UInt64 in 0..<200 {
        await peer.open(1 + 2 * index, .append, try bytes(of: numbered(index)), isLast: true)
      }
      // It stays for as long as the others attack, or until it is given up.
      try await untilHandshakeIsLate(server)
      await peer.close()
    },
    Onslaught(name: "a handshake byte by byte") { server in try await untilHandshakeIsLate(server) },
    Onslaught(name: "a flood of connections") { server in
      for _ in 0..<4 {
        var strangers: [RawPeer] = []
        for _ in 0..<100 { strangers.append(try await RawPeer.connect(to: server, from: "127.0.0.3")) }
        for stranger in strangers { await stranger.close() }
      }
    },
    Onslaught(name: "a stranger under a friend's name") { server in
      for incarnation: UInt64 in [0, 1, .max] {
        let stranger = try await RawPeer.connect(to: server, from: "127.0.0.2")
        await stranger.send(RawPeer.greeting(try RawPeer.hello(serverID: "a", incarnation: incarnation)))
        await stranger.send(.authentication(Authentication(.none)))
        #expect(try await stranger.nextEnd() != nil, "the friend's connection lives, and is the stronger one")
        await stranger.close()
      }
    },
    Onslaught(name: "old peers that send what is no request") { server in
      for bytes in [[0x04, 0xC1], [0x00, 0xC1], [0x00, 0xDD, 0xFF, 0xFF, 0xFF, 0xFF]] as [[UInt8]] {
        let peer = try await RawPeer.connect(to: server)
        await peer.send(bytes)
        #expect(await peer.remainingBytes().readableBytes == 0)
        await peer.close()
      }
    },
    Onslaught(name: "old peers that never come to the end of a request, and more of them than are served") {
      server in
      var peers: [RawPeer] = []
      for _ in 0..<200 {
        let peer = try await RawPeer.connect(to: server, from: "127.0.0.4")
        await peer.send([0x00, 0x87])
        peers.append(peer)
      }
      for peer in peers { #expect(await peer.remainingBytes().readableBytes == 0) }
    },
    Onslaught(name: "old peers that do not read") { server in
      let peer = try await RawPeer.connect(to: server, from: "127.0.0.5")
      await peer.stopReading()
      var votes = ByteBuffer()
      for _ in 0..<1_000 {
        votes.writeImmutableBuffer(
          try bytes(of: RequestVoteRequest(term: 1, lastLogIndex: 1, lastLogTerm: 1)))
      }
      await peer.send(votes)
      await peer.close()
    },
  ]

  private static func large() throws -> ByteBuffer {
    let data = ByteBuffer(repeating: 1, count: maximumMessageBytes)
    return try bytes(
      of: AppendEntriesRequest(
        term: 1, previousLogIndex: 1, previousLogTerm: 1, entries: [LogEntry(index: 1, term: 1, data: data)],
        leaderCommitIndex: 1)
    ).getSlice(at: 0, length: 1_000) ?? ByteBuffer()
  }

  /// Sends a handshake too slowly, and returns when it was found out.
  static func untilHandshakeIsLate(_ server: ServerAddress) async throws {
    let stranger = try await RawPeer.connect(to: server)
    let dribble = Task {
      var greeting = RawPeer.greeting(try RawPeer.hello())
      while let byte = greeting.readSlice(length: 1) {
        await stranger.send(byte)
        // The pace is what is tested: each byte in time, all of them not.
        try await Task.sleep(for: .milliseconds(100))
      }
    }
    #expect(try await stranger.nextEnd() == .handshakeTimeout)
    dribble.cancel()
    await stranger.close()
  }
}

extension RawPeer {
  /// The code with which the other end stops a stream; `nil` when it has closed.
  fileprivate func nextStop(of stream: UInt64) async throws -> ErrorCode? {
    try await next { frame in
      if case .stop(stream, let code) = frame { code } else { nil }
    }
  }
}
