import Logging
import NIOCore
import RaftTransport
import RaftTransportTesting
import RaftWire
import StreamMux
import Testing

@Suite("Sockets: bad input at the listener", .serialized, .timeLimit(.minutes(5)))
struct SocketsHostileInputTests {
  /// What a stranger sends, and what it and the operator get to see.
  struct Attack: Sendable, CustomTestStringConvertible {
    /// When the bytes are sent.
    enum Stage { case first, behindPreface, behindHello, established }

    let name: String
    let stage: Stage
    let bytes: ByteBuffer
    /// The code that the stranger is told; `nil` if it is not answered at all.
    let code: ErrorCode?
    /// What the log says.
    let log: String
    /// Whether the stranger closes its direction behind the bytes.
    var closes = false

    var testDescription: String { name }
  }

  // MARK: No RMUX at all

  private static func first(_ name: String, _ bytes: [UInt8], _ log: String, closes: Bool = false) -> Attack {
    Attack(
      name: name, stage: .first, bytes: ByteBuffer(bytes: bytes), code: nil, log: log, closes: closes)
  }

  private static let strangers: [Attack] =
    [
      first("an HTTP request", Array("GET / HTTP/1.1\r\nHost: raft\r\n\r\n".utf8), "the peer speaks HTTP"),
      first("an HTTP/2 preface", Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), "the peer speaks HTTP"),
      first(
        "a TLS ClientHello",
        [0x16, 0x03, 0x01, 0x00, 0xC8, 0x01, 0x00, 0x00, 0xC4, 0x03, 0x03] + Array(repeating: 9, count: 194),
        "the peer speaks TLS"),
      first("text", Array("hello\n".utf8), "the peer speaks something else"),
      first(
        "noise", (0..<4_000).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 90) }, "the peer speaks something"),
      first("high bits cut off", [0x2C, 0x52, 0x4D, 0x58, 0x0D], "the preface arrived changed"),
      first(
        "line ends translated", [0xAC, 0x52, 0x4D, 0x58, 0x0A, 0x1A, 0x0A], "the preface arrived changed"),
      first("nothing", [], "the peer closed the connection", closes: true),
      first("half a preface", [0xAC, 0x52, 0x4D, 0x58], "the peer closed the connection", closes: true),
      first("a preface alone", ProtocolConstants.preface, "the peer closed the connection", closes: true),
    ]
    + (0...4 as ClosedRange<UInt8>).map { type in
      first("a classic RPC of type \(type)", [type, 0x87, 0xA4], "the old Raft protocol, RPC type \(type)")
    }

  // MARK: In the handshake

  private static func frame(
    _ type: UInt8, stream: UInt64 = 0, flags: UInt8 = 0, trafficClass: UInt8 = 0,
    length: UInt32? = nil, _ payload: [UInt8] = []
  ) -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.writeMultipleIntegers(type, flags, trafficClass, UInt8(0))
    bytes.writeMultipleIntegers(length ?? UInt32(payload.count), stream)
    bytes.writeBytes(payload)
    return bytes
  }

  private static func hello(_ hello: Hello?) -> ByteBuffer {
    guard let hello else { preconditionFailure("a legal HELLO") }
    var bytes = RawPeer.greeting(hello)
    bytes.moveReaderIndex(forwardBy: ProtocolConstants.preface.count)
    return bytes
  }

  private static func greeting(
    _ name: String, _ bytes: ByteBuffer, _ code: ErrorCode, _ log: String,
    stage: Attack.Stage = .behindPreface
  ) -> Attack {
    Attack(name: name, stage: stage, bytes: bytes, code: code, log: log)
  }

  private static let greetings: [Attack] = [
    greeting(
      "garbage behind the preface", ByteBuffer(repeating: 0xFF, count: 64), .excessiveLoad, "to ignore"),
    greeting(
      "zeros behind the preface", ByteBuffer(repeating: 0, count: 64), .protocolViolation, "no meaning"),
    greeting(
      "DATA instead of HELLO",
      frame(0x10, stream: 1, flags: 1, trafficClass: 2, Array(repeating: 0, count: 8)),
      .protocolViolation, "DATA during the handshake, where HELLO was due"),
    greeting(
      "PING instead of HELLO", frame(0x20, Array(repeating: 1, count: 8)), .protocolViolation, "PING during"),
    greeting("AUTH instead of HELLO", frame(0x02, [0]), .protocolViolation, "AUTH during the handshake"),
    greeting("a HELLO that is too long", frame(0x01, length: 3_500), .frameSize, "HELLO of 3500 bytes"),
    greeting(
      "an oversized handshake", frame(0x01, length: 60_000), .handshakeTooLarge, "the handshake takes"),
    greeting(
      "a handshake that grows too large",
      { () -> ByteBuffer in
        var bytes = hello(try? RawPeer.hello())
        bytes.writeImmutableBuffer(frame(0x02, length: 4_050))
        return bytes
      }(), .handshakeTooLarge, "the handshake takes"),
    greeting("an empty HELLO", frame(0x01), .malformedHello, "malformedHello"),
    greeting(
      "a HELLO cut short", frame(0x01, Array(repeating: 0, count: 40)), .malformedHello, "HELLO ends inside"),
    greeting(
      "HELLO of another cluster", hello(try? RawPeer.hello(clusterID: "other")), .wrongCluster,
      "correct the address or the cluster ID"),
    greeting(
      "HELLO for another server", hello(try? RawPeer.hello(target: "z")), .wrongServer,
      "z was wanted, b is here"),
    greeting(
      "HELLO of a namesake", hello(try? RawPeer.hello(serverID: "b")), .selfConnection, "both ends are b"),
    greeting(
      "HELLO twice", hello(try? RawPeer.hello()), .protocolViolation, "HELLO came again", stage: .behindHello),
    greeting(
      "DATA before WELCOME", frame(0x10, stream: 1, flags: 1, trafficClass: 2, Array(repeating: 0, count: 8)),
      .protocolViolation, "DATA during the handshake", stage: .behindHello),
    greeting(
      "AUTH with an unknown method", frame(0x02, [9]), .unauthenticated, "method 9", stage: .behindHello),
    greeting(
      "AUTH with a proof too many", frame(0x02, [0, 1, 2]), .protocolViolation, "that method has none",
      stage: .behindHello),
  ]

  // MARK: Behind the handshake

  private static func broken(
    _ name: String, _ bytes: ByteBuffer..., code: ErrorCode, log: String
  ) -> Attack {
    var all = ByteBuffer()
    for piece in bytes { all.writeImmutableBuffer(piece) }
    return Attack(name: name, stage: .established, bytes: all, code: code, log: log)
  }

  private static let group = [UInt8](repeating: 0, count: 8)

  private static func open(
    _ stream: UInt64, flags: UInt8 = 1, trafficClass: UInt8 = 2, _ payload: [UInt8] = []
  ) -> ByteBuffer {
    frame(0x10, stream: stream, flags: flags, trafficClass: trafficClass, group + payload)
  }

  private static let violations: [Attack] = [
    broken("DATA on stream 0", frame(0x10, [1]), code: .protocolViolation, log: "DATA on stream 0"),
    broken("DATA on no stream", frame(0x10, stream: 7, [1]), code: .protocolViolation, log: "never opened"),
    broken("a stream of our side", open(2), code: .protocolViolation, log: "opened by the peer"),
    broken("a gap between streams", open(3), code: .protocolViolation, log: "without gaps"),
    broken(
      "a stream opened twice", open(1), open(1), code: .protocolViolation, log: "stream 1 opened where 3"),
    broken(
      "DATA behind FIN", open(1, flags: 3, [0]), frame(0x10, stream: 1, [1]), code: .streamState,
      log: "stream 1"),
    broken(
      "CREDIT for no stream", frame(0x11, stream: 9, group), code: .protocolViolation,
      log: "CREDIT on stream 9"),
    broken(
      "RESET for no stream", frame(0x12, stream: 9, [0, 0, 0, 0x40]), code: .protocolViolation, log: "RESET"),
    broken(
      "STOP for no stream", frame(0x13, stream: 9, [0, 0, 0, 0x40]), code: .protocolViolation, log: "STOP"),
    broken("an unassigned frame", frame(0x30), code: .protocolViolation, log: "0x30, which has no meaning"),
    broken("a frame nobody agreed on", frame(0x50), code: .protocolViolation, log: "not agreed on"),
    broken("unknown flags", frame(0x20, flags: 4, group), code: .protocolViolation, log: "flags 0x04"),
    broken(
      "a class out of place", frame(0x20, trafficClass: 1, group), code: .protocolViolation, log: "class 1"),
    broken(
      "STREAMS without a class", frame(0x14, group), code: .protocolViolation, log: "STREAMS for class 0"),
    broken(
      "PING on a stream", frame(0x20, stream: 1, group), code: .protocolViolation, log: "PING on stream 1"),
    broken("a short PING", frame(0x20, [1, 2]), code: .frameSize, log: "PING of 2 bytes"),
    broken(
      "a huge frame", frame(0x10, stream: 1, flags: 1, length: .max), code: .frameSize,
      log: "DATA of 4294967295"),
    broken(
      "an opening without a group", frame(0x10, stream: 1, flags: 1, trafficClass: 2, [1]), code: .frameSize,
      log: "the group id in front"),
    broken("too much to ignore", frame(0x90, length: 5_000), code: .excessiveLoad, log: "bytes to ignore"),
    broken(
      "too many PINGs",
      ByteBuffer(bytes: (0..<200).flatMap { _ in Array(frame(0x20, group).readableBytesView) }),
      code: .excessiveLoad, log: "too many"),
    broken(
      "too many snapshots",
      ByteBuffer(
        bytes: (0..<9).flatMap { Array(open(UInt64($0) * 2 + 1, trafficClass: 3, [2]).readableBytesView) }),
      code: .streamLimit, log: "more than 8 snapshot streams"),
    broken("HELLO once more", frame(0x01), code: .protocolViolation, log: "HELLO came again"),
  ]

  /// One listener that a well-behaved peer uses before, during and after the attack.
  private func withListener(
    _ body: (MuxTransport, LogCapture, () async throws -> Void) async throws -> Void
  ) async throws {
    let log = LogCapture()
    let server = try await listen("b", logger: log.logger) { $0.peerProtocol = .rmuxOnly }
    let friend = try await listen("a")
    let echoes = [EchoConsumer(server), EchoConsumer(friend)]
    try await closing(server, friend) {
      let prove = {
        try await friend.proveCall(to: server, as: "b")
        try await server.proveCall(to: friend, as: "a")
        #expect(await friend.statistics().connections.count == 1)
      }
      try await prove()
      let port = await friend.statistics().connections.first?.localPort
      try await body(server, log, prove)
      try await prove()
      #expect(await friend.statistics().connections.first?.localPort == port, "the very same connection")
    }
    for echo in echoes { await echo.stop() }
  }

  // R-SEC-8, R-ERR-6
  @Test(
    "Bad input is refused with its code and its reason, and nobody else notices",
    arguments: strangers + greetings + violations)
  func refuses(_ attack: Attack) async throws {
    try await withListener { server, log, prove in
      let stranger = try await RawPeer.connect(to: server.localAddress)
      switch attack.stage {
      case .first: break
      case .behindPreface: await stranger.send(ProtocolConstants.preface)
      case .behindHello: await stranger.send(RawPeer.greeting(try RawPeer.hello()))
      case .established: try await stranger.shakeHands(try RawPeer.hello())
      }
      await stranger.send(attack.bytes)
      if attack.closes { await stranger.finish() }
      try await prove()

      if let code = attack.code {
        let told = try await stranger.nextEnd()
        #expect(told == code)
        // Nothing comes behind it but the end.
        #expect(try await stranger.nextEvent() == nil)
      } else {
        #expect(await stranger.remainingBytes().readableBytes == 0, "a stranger is not answered")
      }
      try await log.expect(attack.log)
      await stranger.close()
    }
  }

  @Test(
    "A peer that falls silent in the handshake is given up in time, and told so where it spoke our protocol",
    arguments: ["nothing", "half a preface", "a preface", "half a HELLO", "HELLO", "AUTH"])
  func silentHandshake(_ stage: String) async throws {
    try await withListener { server, log, prove in
      let stranger = try await RawPeer.connect(to: server.localAddress)
      let greeting = RawPeer.greeting(try RawPeer.hello())
      let lengths = ["nothing": 0, "half a preface": 4, "a preface": 8, "half a HELLO": 60]
      let length = lengths[stage] ?? greeting.readableBytes
      await stranger.send(greeting.getSlice(at: 0, length: length) ?? greeting)
      if stage == "AUTH" { await stranger.send(.authentication(Authentication(.none))) }
      try await prove()
      if length < 8 {
        #expect(await stranger.remainingBytes().readableBytes == 0)
      } else {
        let told = try await stranger.nextEnd()
        #expect(told == .handshakeTimeout)
        #expect(try await stranger.nextEvent() == nil)
      }
      try await log.expect("the handshake was not complete in time", level: .warning)
      await stranger.close()
    }
  }

  @Test("More bytes than the window are an error of the connection, and nothing is held of them")
  func windowOverrun() async throws {
    let log = LogCapture()
    let server = try await listen("b", logger: log.logger) { $0.limits.unansweredRequestsPerStream = 1 }
    try await closing(server) {
      let peer = try await RawPeer.connect(to: server.localAddress)
      try await peer.shakeHands(try RawPeer.hello())
      // A whole request that nobody answers: what lies behind it is neither consumed nor part of a message.
      var request = ByteBuffer()
      try WireEncoder(profile: .default).encode(request: numbered(1), into: &request)
      await peer.send(
        DataHeader(
          stream: 1, opening: .init(StreamOpening(trafficClass: .append, encoding: .plain, group: 0)),
          byteCount: request.readableBytes), request)
      let received = try await server.nextAppend()
      let block = ByteBuffer(repeating: 0, count: 65_536)
      for _ in 1...4 { await peer.send(DataHeader(stream: 1, byteCount: block.readableBytes), block) }
      #expect(try await peer.nextEnd() == .flowControl)
      #expect(try await peer.nextEvent() == nil)
      try await log.expect("its credit ends at", level: .warning)
      received.responder.succeed(AppendEntriesResponse())
      await peer.close()
    }
  }

  // R-PAY-48, R-STR-5, R-STR-6, R-STR-7, R-STR-8, R-ERR-8
  @Test(
    "What is wrong with one stream ends that stream alone",
    arguments: [
      ("an unknown class", 9, 0, 0, [0], .unknownClass),
      ("an unknown encoding", 2, 7, 0, [0], .unknownEncoding),
      ("chunks without a snapshot", 2, 1, 0, [0], .unknownEncoding),
      ("another group", 2, 0, 5, [0], .unknownGroup),
      ("an unknown RPC", 2, 0, 0, [0x63, 0x80], .malformedMessage),
      ("no MessagePack map", 1, 0, 0, [0x01, 0xC1], .malformedMessage),
    ] as [(String, UInt8, UInt8, UInt64, [UInt8], ErrorCode)])
  func badStream(
    name: String, trafficClass: UInt8, encoding: UInt8, group: UInt64, bytes: [UInt8], code: ErrorCode
  ) async throws {
    try await withListener { server, _, prove in
      let peer = try await RawPeer.connect(to: server.localAddress)
      try await peer.shakeHands(try RawPeer.hello())
      await peer.send(
        DataHeader(
          stream: 1, opening: .init(trafficClass: trafficClass, encoding: encoding, group: group),
          byteCount: bytes.count), ByteBuffer(bytes: bytes))
      for expected in [0, 1] {
        let told = try await peer.next { (frame) -> (Int, ErrorCode)? in
          switch frame {
          case .reset(1, let code): (0, code)
          case .stop(1, let code): (1, code)
          default: nil
          }
        }
        #expect(told?.0 == expected)
        #expect(told?.1 == code)
      }
      await peer.send(.reset(stream: 1, code: code), .ping(77))
      let answered = try await peer.next { frame in if case .pong(let number) = frame { number } else { nil }
      }
      #expect(answered == 77, "the connection goes on")
      try await prove()
      await peer.close()
    }
  }

  // R-PAY-48, R-PAY-50, R-PAY-51
  @Test(
    "A fault behind good requests stops the stream, which ends with the code behind their answers",
    arguments: [
      ("an unknown RPC", [0x63, 0x80], false), ("no MessagePack map, and FIN", [0x01, 0xC1], true),
      ("FIN inside a request", [0x01, 0x82, 0xA4], true),
    ] as [(String, [UInt8], Bool)])
  func faultBehindRequests(name: String, bytes: [UInt8], isLast: Bool) async throws {
    let server = try await listen("b")
    try await closing(server) {
      let peer = try await RawPeer.connect(to: server.localAddress)
      try await peer.shakeHands(try RawPeer.hello())
      var requests = ByteBuffer()
      for number in [1, 2] as [UInt64] {
        try WireEncoder(profile: .default).encode(request: numbered(number), into: &requests)
      }
      requests.writeBytes(bytes)
      let opening = DataHeader.Opening(StreamOpening(trafficClass: .append, encoding: .plain, group: 0))
      await peer.send(
        DataHeader(stream: 1, opening: opening, isLast: isLast, byteCount: requests.readableBytes), requests)
      let received = [try await server.nextAppend(), try await server.nextAppend()]
      #expect(received.map(\.request) == [numbered(1), numbered(2)])
      if !isLast {
        let stop = try await peer.next { frame in if case .stop(1, let code) = frame { code } else { nil } }
        #expect(stop == .malformedMessage, "before anything was answered")
      }
      for (_, responder) in received { responder.succeed(AppendEntriesResponse()) }
      var (answers, end) = (0, ErrorCode?.none)
      while end == nil, let event = try await peer.nextEvent() {
        switch event {
        case .payload(let bytes, _): answers += bytes.readableBytes
        case .frame(.reset(1, let code)): end = code
        default: break
        }
      }
      #expect(end == .malformedMessage)
      var answer = ByteBuffer()
      try WireEncoder(profile: .default).encode(errorText: nil, into: &answer)
      try WireEncoder(profile: .default).encode(object: AppendEntriesResponse(), into: &answer)
      #expect(answers == 2 * answer.readableBytes)
      await peer.send(.ping(77))
      let pong = try await peer.next { frame in if case .pong(let number) = frame { number } else { nil } }
      #expect(pong == 77, "the connection goes on")
      await peer.close()
    }
  }

  @Test("Of the connections in the handshake only so many are kept; those that go make room")
  func tooManyHandshakes() async throws {
    let log = LogCapture()
    let server = try await listen("b", logger: log.logger) { $0.limits.handshakes = 2 }
    let friend = try await listen("a")
    let echo = EchoConsumer(server)
    try await closing(server, friend) {
      let text = "too many connections are in the handshake"
      // On a busy machine those that are kept may be given up before the next one comes; then it is tried again.
      for _ in 1...20 where !log.contains(text) {
        var strangers: [RawPeer] = []
        for _ in 1...3 { strangers.append(try await RawPeer.connect(to: server.localAddress)) }
        // Nobody says a word, so each of them hears nothing but the end.
        for stranger in strangers { #expect(await stranger.remainingBytes().readableBytes == 0) }
      }
      #expect(log.contains(text, level: .warning))
      try await untilDelivered { try await friend.proveCall(to: server, as: "b") }
    }
    await echo.stop()
  }

  @Test("A hundred strangers at once do not keep a peer out", arguments: 1...3)
  func manyStrangers(round: Int) async throws {
    try await withListener { server, _, prove in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<100 {
          group.addTask {
            let attack = (Self.strangers + Self.greetings)[number % (Self.strangers + Self.greetings).count]
            let stranger = try await RawPeer.connect(to: server.localAddress)
            if attack.stage != .first { await stranger.send(ProtocolConstants.preface) }
            await stranger.send(attack.bytes)
            await stranger.finish()
            _ = await stranger.remainingBytes()
            await stranger.close()
          }
        }
        for _ in 1...20 { try await prove() }
        try await group.waitForAll()
      }
    }
  }

  @Test("A stranger that resets its connection leaves no trace", .enabled(if: SystemSockets.isAvailable))
  func endsLeaveNoDescriptors() async throws {
    try await withListener { server, _, prove in
      let before = SystemSockets().descriptorCount(ofPorts: [server.port])
      for attack in Self.strangers {
        let stranger = try await RawPeer.connect(to: server.localAddress)
        await stranger.send(attack.bytes)
        await stranger.close()
      }
      try await eventually("all of its sockets are gone") {
        SystemSockets().descriptorCount(ofPorts: [server.port]) == before
      }
      try await prove()
    }
  }
}
