import Logging
import NIOCore
import RaftTransport
import RaftTransportTesting
import StreamMux
import Testing

@Suite("Sockets: calls to servers that misbehave", .serialized, .timeLimit(.minutes(5)))
struct SocketsHostileServerTests {
  /// A call to a server that a test plays itself, and the error with which it ends.
  ///
  /// - Parameter isLate: Whether the handshake is to be late. Where it is not, and was, the machine was busy, and it is
  ///   tried again.
  private func callFails(
    _ what: String, log: LogCapture = LogCapture(), isLate: Bool = false,
    _ play: (RawPeer) async throws -> Void
  ) async throws -> TransportError {
    while true {
      let error = try await callOnce(what, log: log, play)
      if isLate || !error.message.contains("the handshake was not complete in time") { return error }
    }
  }

  private func callOnce(
    _ what: String, log: LogCapture, _ play: (RawPeer) async throws -> Void
  ) async throws -> TransportError {
    let listener = try await RawListener.start()
    let caller = try await listen("a", logger: log.logger) { $0.peerProtocol = .rmuxOnly }
    return try await closing(caller) {
      let address = listener.address
      async let error = failure(what) { try await caller.proveCall(to: "b", at: address) }
      let peer = try await listener.next()
      try await play(peer)
      let result = try await error
      await peer.close()
      await listener.close()
      return result
    }
  }

  @Test(
    "What answers something else is unreachable, and the log says what it looks like",
    arguments: [
      ("HTTP/1.1 400 Bad Request\r\n\r\n", "the peer speaks HTTP"),
      ("\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\u{46}", "the peer speaks TLS"),
      ("220 mail ready\r\n", "something else"),
    ])
  func otherProtocol(answer: String, words: String) async throws {
    let log = LogCapture()
    let error = try await callFails("a call to another service", log: log) { peer in
      await peer.send(Array(answer.utf8))
    }
    #expect(error.code == .unreachable, "\(error)")
    #expect(error.delivery == .notDelivered)
    #expect(error.message.contains(words), "\(error)")
    try await log.expect(words, level: .warning)
  }

  @Test("What closes without a byte, as a server of the old protocol does, is unreachable")
  func closesAtOnce() async throws {
    let error = try await callFails("a call to what closes") { peer in
      _ = await peer.nextBytes()
      await peer.close()
    }
    #expect(error.code == .unreachable, "\(error)")
    #expect(error.delivery == .notDelivered)
  }

  @Test("What accepts and says nothing is given up in time")
  func silent() async throws {
    let error = try await callFails("a call to what is silent", isLate: true) { _ in }
    #expect(error.code == .unreachable, "\(error)")
    #expect(error.delivery == .notDelivered)
    #expect(error.message.contains("the handshake was not complete in time"), "\(error)")
  }

  @Test("Another server than the one that was called is refused")
  func wrongServer() async throws {
    let error = try await callFails("a call to another server") { peer in
      await peer.send(RawPeer.greeting(try RawPeer.hello(serverID: "z")))
      #expect(try await peer.nextEnd() == .wrongServer)
    }
    #expect(error.code == .wrongServer, "\(error)")
    #expect(error.delivery == .notDelivered)
  }

  @Test(
    "A refusal is passed on with its text",
    arguments: [
      (.wrongServer, .wrongServer), (.busy, .refused), (.unauthorized, .unauthorized),
      (ErrorCode(rawValue: 0x7777), .refused),
    ] as [(ErrorCode, TransportError.Code)])
  func refusal(code: ErrorCode, expected: TransportError.Code) async throws {
    let error = try await callFails("a call that is refused") { peer in
      await peer.send(RawPeer.greeting(try RawPeer.hello(serverID: "b")))
      await peer.send(.welcome(.refused(Refusal(code: code, text: "come back tomorrow"))))
    }
    #expect(error.code == expected, "\(error)")
    #expect(error.delivery == .notDelivered)
    #expect(error.message.contains("come back tomorrow"), "\(error)")
  }

  /// How a server behaves once it has the request, and what the caller is told.
  struct Answer: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: TransportError.Code
    let delivery: TransportError.Delivery
    var survives = true
    let play: @Sendable (RawPeer) async -> Void
  }

  private static func data(_ bytes: [UInt8], isLast: Bool = true) -> @Sendable (RawPeer) async -> Void {
    { peer in
      await peer.send(
        DataHeader(stream: 1, isLast: isLast, byteCount: bytes.count), ByteBuffer(bytes: bytes))
    }
  }

  private static let answers: [Answer] = [
    Answer(testDescription: "FIN", code: .streamReset, delivery: .unknown, play: data([])),
    Answer(testDescription: "half an answer", code: .streamReset, delivery: .unknown, play: data([0xA0])),
    Answer(
      testDescription: "no MessagePack", code: .malformedResponse, delivery: .answered,
      play: data([0xC1, 0xC1])),
    Answer(
      testDescription: "a number for an error", code: .malformedResponse, delivery: .answered,
      play: data([0x07, 0xC0])),
    Answer(
      testDescription: "a remote error", code: .remote, delivery: .answered,
      play: data([0xA2, 0x6E, 0x6F, 0xC0])),
    Answer(testDescription: "RESET", code: .streamReset, delivery: .unknown) {
      await $0.send(.reset(stream: 1, code: .cancelled))
    },
    Answer(testDescription: "RESET with an unknown code", code: .streamReset, delivery: .unknown) {
      await $0.send(.reset(stream: 1, code: ErrorCode(rawValue: 0xABCD)))
    },
    Answer(testDescription: "RESET and STOP: refused", code: .streamReset, delivery: .notDelivered) {
      await $0.send(.reset(stream: 1, code: .refused), .stop(stream: 1, code: .refused))
    },
    Answer(
      testDescription: "GOAWAY that leaves the call out", code: .streamReset, delivery: .notDelivered,
      survives: false
    ) {
      await $0.send(.goAway(GoAway(lastStream: 0, code: .shutdown)))
    },
    Answer(
      testDescription: "GOAWAY with an error", code: .connectionLost, delivery: .unknown, survives: false
    ) {
      await $0.send(.goAway(GoAway(lastStream: 1, code: .internalError, text: "a bug")))
    },
    Answer(testDescription: "garbage", code: .connectionLost, delivery: .unknown, survives: false) {
      await $0.send(Array(repeating: 0xEE, count: 100))
    },
    Answer(testDescription: "more than the window", code: .malformedResponse, delivery: .answered) { peer in
      // An error text of 300,000 bytes that never comes to its end, behind something that is no answer.
      await peer.send(
        DataHeader(stream: 1, byteCount: 60_000),
        ByteBuffer(bytes: [0x07] + Array(repeating: 0, count: 59_999)))
    },
    Answer(testDescription: "a close", code: .connectionLost, delivery: .unknown, survives: false) {
      await $0.close()
    },
  ]

  // R-DRN-12, R-DRN-14, R-PAY-49, R-PAY-54
  @Test("Bad answers end their own call with what is known of it", arguments: answers)
  func badAnswers(_ answer: Answer) async throws {
    let listener = try await RawListener.start()
    let caller = try await listen("a")
    try await closing(caller) {
      let address = listener.address
      async let error = failure("a call with a bad answer") {
        try await caller.proveCall(to: "b", at: address)
      }
      let peer = try await listener.next()
      try await peer.acceptHands(try RawPeer.hello(serverID: "b"))
      let request = try await peer.nextData()
      #expect(request?.0.stream == 1)
      #expect(request?.0.isLast == true)
      await answer.play(peer)
      let result = try await error
      #expect(result.code == answer.code, "\(result)")
      #expect(result.delivery == answer.delivery, "\(result)")

      // The next call goes over the same connection where that has done no wrong, else over a new one.
      async let next = failure("the next call") { try await caller.proveCall(to: "b", at: address) }
      let second: RawPeer
      if answer.survives {
        second = peer
      } else {
        second = try await listener.next()
        try await second.acceptHands(try RawPeer.hello(serverID: "b"))
      }
      let header = try #require(try await second.nextData()?.0)
      #expect(header.stream == (answer.survives ? 3 : 1))
      await second.send(.reset(stream: header.stream, code: .unknownGroup))
      #expect(try await next.delivery == .notDelivered)
      await peer.close()
      await second.close()
    }
    await listener.close()
  }

  // R-PAY-53
  @Test(
    "An answer that cannot be read, on a half that goes on, is stopped, and what is left of the request reset"
  )
  func stopsUnreadableAnswers() async throws {
    let listener = try await RawListener.start()
    let caller = try await listen("a")
    try await closing(caller) {
      let address = listener.address
      let (pieces, stalled) = AsyncStream.makeStream(of: ByteBuffer.self)
      stalled.yield(ByteBuffer(bytes: [1, 2, 3]))
      async let vote = failure("a vote with a bad answer") {
        try await caller.requestVote(id: "b", target: address, RequestVoteRequest(term: 1))
      }
      let peer = try await listener.next()
      try await peer.acceptHands(try RawPeer.hello(serverID: "b"))
      _ = try await peer.nextData()
      await peer.send(DataHeader(stream: 1, byteCount: 2), ByteBuffer(bytes: [0xC1, 0xC1]))
      let voteStop = try await peer.next { frame in if case .stop(1, let code) = frame { code } else { nil } }
      #expect(voteStop == .malformedMessage)
      #expect(try await vote.code == .malformedResponse)

      async let snapshot = failure("a snapshot with a bad answer") {
        try await caller.installSnapshot(
          id: "b", target: address, InstallSnapshotRequest(size: 5_000), data: SnapshotSource(pieces))
      }
      _ = try await peer.nextData()
      await peer.send(DataHeader(stream: 3, byteCount: 2), ByteBuffer(bytes: [0xC1, 0xC1]))
      var told: [String: ErrorCode] = [:]
      while told.count < 2 {
        let frame = try await peer.next { (frame) -> (String, ErrorCode)? in
          switch frame {
          case .reset(3, let code): ("RESET", code)
          case .stop(3, let code): ("STOP", code)
          default: nil
          }
        }
        guard let frame else { break }
        told[frame.0] = frame.1
      }
      #expect(told == ["RESET": .malformedMessage, "STOP": .malformedMessage])
      #expect(try await snapshot.code == .malformedResponse)
      stalled.finish()
      await peer.close()
    }
    await listener.close()
  }

  // R-PAIR-20
  @Test(
    "A refusal as a duplicate that names no winner is no failure: the call goes on where the server connects")
  func duplicateWithoutWinner() async throws {
    let listener = try await RawListener.start()
    let caller = try await listen("a")
    try await closing(caller) {
      let address = listener.address
      async let call = caller.requestVote(id: "b", target: address, RequestVoteRequest(term: 1))
      let dialled = try await listener.next()
      await dialled.send(RawPeer.greeting(try RawPeer.hello(serverID: "b")))
      await dialled.send(
        .authentication(Authentication(.none)),
        .welcome(.refused(Refusal(code: .duplicate, text: "", winner: nil))))
      #expect(await dialled.remainingBytes().readableBytes > 0)
      let own = try await RawPeer.connect(to: caller.localAddress)
      try await own.shakeHands(try RawPeer.hello(serverID: "b", target: "a", address: address.rawValue))
      let request = try #require(try await own.nextData()?.0)
      let answer = ByteBuffer(bytes: [0xA0, 0xC0])
      await own.send(DataHeader(stream: request.stream, isLast: true, byteCount: 2), answer)
      #expect(try await call == RequestVoteResponse())
      await own.close()
      await dialled.close()
    }
    await listener.close()
  }

  /// A pipeline to a server that says what the test wants.
  private func withPipeline(_ body: (any AppendPipeline, RawPeer) async throws -> Void) async throws {
    let listener = try await RawListener.start()
    let caller = try await listen("a") { $0.maxRPCsInFlight = 8 }
    try await closing(caller) {
      let address = listener.address
      async let opening = caller.appendEntriesPipeline(id: "b", target: address)
      let peer = try await listener.next()
      try await peer.acceptHands(try RawPeer.hello(serverID: "b"))
      let pipeline = try await opening
      try await body(pipeline, peer)
      await pipeline.close()
      await peer.close()
    }
    await listener.close()
  }

  // R-PAY-52
  @Test("A pipeline whose server answers with what cannot be read takes nothing behind it for an answer")
  func unreadableAnswerInPipeline() async throws {
    try await withPipeline { pipeline, peer in
      var futures: [AppendFuture] = []
      for number in [1, 2] as [UInt64] {
        futures.append(try await pipeline.appendEntries(numbered(number)))
        // It is on the wire.
        _ = try await peer.nextData()
      }
      let answers = ByteBuffer(bytes: [0xC1, 0xA0, 0xC0, 0xA0, 0xC0])
      await peer.send(DataHeader(stream: 1, byteCount: answers.readableBytes), answers)
      for future in futures {
        let error = try await failure("a request behind an answer that cannot be read") {
          try await future.response
        }
        #expect(error.delivery != .notDelivered, "\(error)")
      }
    }
  }

  @Test("A pipeline whose server answers what was not asked ends with malformed response")
  func surplusAnswers() async throws {
    try await withPipeline { pipeline, peer in
      let first = try await pipeline.appendEntries(numbered(1))
      _ = try await peer.nextData()
      let answers = ByteBuffer(bytes: [0xA0, 0xC0, 0xA0, 0xC0])
      await peer.send(DataHeader(stream: 1, byteCount: answers.readableBytes), answers)
      #expect(try await first.response == AppendEntriesResponse())
      let consumer = pipeline.consumer.makeAsyncIterator()
      #expect(await consumer.next() === first)
      #expect(await consumer.next() == nil)
      let error = try await failure("a request behind a surplus answer") {
        try await pipeline.appendEntries(numbered(2))
      }
      #expect(error.code == .malformedResponse, "\(error)")
    }
  }
}
