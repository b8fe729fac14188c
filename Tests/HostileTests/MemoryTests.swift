import NIOCore
import RaftTransport
import RaftTransportTesting
import RaftWire
import StreamMux
import Testing

/// The formula of `Spec/limits.md`, term by term: a hostile peer goes as far as it is let, and the system says how much
/// memory the server's process takes for it.
@Suite(
  "What a peer can make a process hold", .serialized, .enabled(if: FaultProcess.isAvailable),
  .timeLimit(.minutes(10)))
struct MemoryTests {
  private static let window = 262_144
  private static let mebibyte = 1 << 20
  /// Bytes of memory for one that is held (R-LIM-13).
  private static let pinning = 4
  /// What the system's allocator and the runtime may take of their own accord, in bytes.
  private static let slack = 24 * mebibyte

  /// A peer that makes the server hold what one term of the formula counts.
  struct Term: Sendable, CustomTestStringConvertible {
    let name: String
    /// What the formula allows, in bytes of memory.
    let bound: Int
    /// What the server counts that it holds; at least half of what is allowed of it has to be reached.
    let held: Held
    /// - Returns: How many bytes on the wire it took.
    let drive: @Sendable (FaultProcess) async throws -> Int

    var testDescription: String { name }
  }

  /// What a server counts of its burden, and how much of it is allowed.
  enum Held: Sendable {
    case bytes(Int)
    case handlerWeight(Int)
    case handshakes(Int)
    case streams(Int)

    /// Which word of the answer to `burden` it is.
    private var index: Int {
      switch self {
      case .bytes: 1
      case .handlerWeight: 2
      case .handshakes: 3
      case .streams: 4
      }
    }

    var allowed: Int {
      switch self {
      case .bytes(let count), .handlerWeight(let count), .handshakes(let count), .streams(let count): count
      }
    }

    /// How much of it there is now, by the words of the server.
    func count(in burden: String) throws -> Int {
      let words = burden.split(separator: " ").map(String.init)
      return try #require(words.count == 5 ? Int(words[index]) : nil, "\(burden)")
    }
  }

  /// A request of about as many bytes on the wire.
  private static func request(_ size: Int) throws -> ByteBuffer {
    try bytes(
      of: AppendEntriesRequest(
        term: 1, previousLogIndex: 1, previousLogTerm: 1,
        entries: [LogEntry(index: 2, term: 1, data: ByteBuffer(repeating: 7, count: size - 400))],
        leaderCommitIndex: 1))
  }

  private static func fill(
    _ server: FaultProcess, _ trafficClass: TrafficClass, streams: Int, with request: ByteBuffer
  ) async throws -> Int {
    let peer = try await RawPeer.established(to: server.address, as: "hostile")
    for index in 0..<streams { await peer.open(1 + 2 * UInt64(index), trafficClass, request) }
    try await peer.settle()
    return streams * request.readableBytes
  }

  static let terms: [Term] = [
    Term(name: "windows of elections", bound: pinning * 64 * window, held: .bytes(64 * window)) { server in
      try await fill(server, .election, streams: 64, with: request(window))
    },
    Term(name: "windows of appends", bound: pinning * 256 * window, held: .bytes(256 * window)) { server in
      try await fill(server, .append, streams: 256, with: request(window))
    },
    Term(
      name: "windows of snapshots that nobody reads", bound: pinning * 8 * window, held: .bytes(8 * window)
    ) { server in
      var body = try bytes(of: InstallSnapshotRequest(term: 1, size: 1 << 30))
      body.writeRepeatingByte(9, count: window - body.readableBytes)
      return try await fill(server, .snapshot, streams: 8, with: body)
    },
    Term(
      name: "a message that is being put together", bound: pinning * 128 * mebibyte,
      held: .bytes(64 * mebibyte)
    ) { server in
      let peer = try await RawPeer.established(to: server.address, as: "hostile")
      return try await peer.feed(1, try request(60 * mebibyte).getSlice(at: 0, length: 59 * mebibyte))
    },
    Term(name: "single bytes", bound: pinning * 400_000, held: .bytes(400_000)) { server in
      let peer = try await RawPeer.established(to: server.address, as: "hostile")
      for stream: UInt64 in [1, 3, 5, 7] {
        await peer.open(stream, .snapshot, try bytes(of: InstallSnapshotRequest(term: 1, size: 1 << 30)))
        for _ in 0..<100 {
          var frames = ByteBuffer()
          for _ in 0..<1_000 {
            FrameEncoder().write(
              DataHeader(stream: stream, byteCount: 1), payload: ByteBuffer(bytes: [1]), into: &frames)
          }
          await peer.send(frames)
        }
      }
      try await peer.settle()
      return 400_000
    },
    Term(
      name: "entries that grow as they are decoded",
      bound: 2 * 256 * 200_000 + 2 * 4_096 * 2_048 + 2 * 262_144 * 120, held: .handlerWeight(4_096)
    ) {
      server in
      let entries = AppendEntriesRequest(
        term: 1, previousLogIndex: 1, previousLogTerm: 1, entries: Array(repeating: nil, count: 200_000),
        leaderCommitIndex: 1)
      return try await fill(server, .append, streams: 256, with: try bytes(of: entries))
    },
    Term(
      name: "streams and frames that wait, unread", bound: 4_424 * 1_024 + 4_096 * 64, held: .streams(4_424)
    ) { server in
      let peer = try await RawPeer.established(to: server.address, as: "hostile")
      await peer.stopReading()
      // As many at once as the budget of provoked resets has tokens, and then as many as come back.
      var (next, byteCount) = (0, 0)
      for count in [1_300, 400, 400, 400] {
        var frames = ByteBuffer()
        for index in next..<next + count {
          let trafficClass: UInt8 = index < 64 ? 1 : index < 320 ? 2 : 9
          FrameEncoder().write(
            DataHeader(
              stream: 1 + 2 * UInt64(index),
              opening: .init(trafficClass: trafficClass, encoding: 0, group: 0),
              byteCount: 1), payload: ByteBuffer(bytes: [1]), into: &frames)
        }
        await peer.send(frames)
        next += count
        byteCount += frames.readableBytes
        // The pace is what keeps it within the budget.
        try await Task.sleep(for: .seconds(1))
      }
      return byteCount
    },
    Term(
      name: "handlers of connections that are gone", bound: 2 * 4_096 * 2_048 + 2 * 262_144 * 120,
      held: .handlerWeight(4_096)
    ) { server in
      let entries = AppendEntriesRequest(
        term: 1, previousLogIndex: 1, previousLogTerm: 1, entries: Array(repeating: nil, count: 1_000),
        leaderCommitIndex: 1)
      let request = try bytes(of: entries)
      for incarnation: UInt64 in 1...16 {
        let peer = try await RawPeer.established(to: server.address, as: "hostile", incarnation: incarnation)
        for index: UInt64 in 0..<64 { await peer.open(1 + 2 * index, .append, request) }
        try await peer.settle()
        await peer.close()
      }
      return 16 * 64 * request.readableBytes
    },
    Term(name: "connections in the handshake", bound: 128 * (2 * 4_096 + 65_536), held: .handshakes(128)) {
      server in
      for number in 0..<128 {
        let peer = try await RawPeer.connect(
          to: server.address, from: number % 2 == 0 ? "127.0.0.1" : "127.0.0.2")
        await peer.send(RawPeer.greeting(try RawPeer.hello(serverID: "hostile\(number)")))
      }
      return 128 * 200
    },
  ]

  // R-LIM-1, R-LIM-13, R-LIM-15
  @Test("Each term of the formula is a bound on the memory of a real process", arguments: terms)
  func term(_ term: Term) async throws {
    try await FaultProcess.with("--consumer", "hold") { server in
      let friend = try await listen("friend")
      try await closing(friend) {
        // The runtime has made its threads and the allocator its arenas.
        async let held: TimeoutNowResponse = friend.timeoutNow(
          id: "b", target: server.address, TimeoutNowRequest())
        try await eventually("it is connected") { await friend.statistics().connections.count == 1 }
        let before = server.memory.now
        let bytes = try await term.drive(server)
        var reached = 0
        // What is still in the socket is read soon.
        try await eventually("half of the term is reached, of which there is \(term.held)") {
          reached = try term.held.count(in: try await server.ask("burden", for: "burden"))
          return reached >= term.held.allowed / 2
        }
        let after = server.memory.most
        print(
          "memory: \(term.name): \(bytes / 1_024) KiB on the wire, \((after - before) / 1_024) KiB more in the "
            + "process, \(term.bound / 1_024) KiB allowed; \(reached) of \(term.held) held")
        #expect(before > 0)
        #expect(after - before <= term.bound + Self.slack)
        await friend.close()
        _ = try? await held
      }
    }
  }
}

extension RawPeer {
  /// Sends bytes of a stream, the first of which open it as an append, as far as the other end gives credit.
  ///
  /// - Returns: How many were sent when no more credit came.
  func feed(_ stream: UInt64, _ bytes: ByteBuffer?) async throws -> Int {
    guard var rest = bytes else { return 0 }
    var (sent, credit) = (0, 262_144)
    while rest.readableBytes > 0 {
      guard let piece = rest.readSlice(length: min(credit - sent, rest.readableBytes)) else { break }
      if sent == 0 { await open(stream, .append, piece) } else { await goOn(stream, piece) }
      sent += piece.readableBytes
      guard rest.readableBytes > 0 else { break }
      let limit = try await next { frame -> UInt64? in
        if case .credit(stream, let limit) = frame { limit } else { nil }
      }
      guard let limit else { break }
      credit = max(credit, Int(limit))
    }
    return sent
  }
}
