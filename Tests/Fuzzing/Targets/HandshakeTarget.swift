import NIOCore
import StreamMux

/// The handshake, in both roles, against a peer that may do anything, with an owner that answers early, late or not.
enum HandshakeTarget {
  @Sendable
  static func run(_ bytes: ByteBuffer) throws {
    var input = FuzzInput(bytes)
    var run = try HandshakeRun(mode: input.choice())
    var steps = 0
    while steps < 200, let operation = input.byte() {
      steps += 1
      try run.perform(operation, &input)
    }
    try run.end()
  }
}

private struct HandshakeRun {
  /// What the engine asked its owner, and was not told.
  private enum Question {
    case proof
    case check
    case welcome
  }

  private let role: Role
  private let answersAtOnce: Bool
  private let usesKey: Bool
  private var engine: MuxConnection
  private var events = EventWatch()
  private var now = Established.start
  private var incoming = ByteBuffer()
  private var question: Question?
  private var wasProofRight = false
  private var agreement: Agreement?
  private var hasAccepted = false
  private var isEstablished = false

  // What went over the wire.
  private var firstReceived: [UInt8] = []
  private var firstSent: [UInt8] = []
  private var sentDecoder = FrameDecoder(maximumFramePayload: 65_536)
  private var sentBytes = 0

  init(mode: UInt8) throws {
    role = mode & 1 == 0 ? .acceptor : .dialler
    answersAtOnce = mode & 2 == 0
    usesKey = mode & 4 != 0
    let methods: AuthenticationMethods =
      usesKey ? (mode & 8 == 0 ? .sharedKey : [.sharedKey, .none]) : mode & 8 == 0 ? .none : .tls
    let isDialler = role == .dialler
    let hello = try Hello(
      features: mode & 16 == 0 ? [.crc32] : [], methods: methods, incarnation: 1,
      nonce: Nonce(high: 1, low: 1),
      clusterID: "cluster", serverID: "a", targetServerID: isDialler && mode & 32 == 0 ? "b" : "")
    engine = MuxConnection(
      role: role, hello: hello, expectedServerID: isDialler && mode & 64 == 0 ? "b" : nil,
      configuration: .defaults, seed: 1, now: now)
  }

  // MARK: Operations

  mutating func perform(_ operation: UInt8, _ input: inout FuzzInput) throws {
    switch operation % 20 {
    case 0...9: speak(operation, &input)
    case 10, 11: try transmit(limit: 1 + input.length(upTo: 8_192))
    case 12: answer(input.choice())
    case 13: pass(.milliseconds([1, 100, 1_000, 5_000][Int(operation >> 5) % 4]))
    case 14: _ = engine.ping(now: now)
    case 15: try open(&input)
    case 16: if operation > 200 { engine.refuse(Refusal(code: .busy, text: "not now"), now: now) }
    case 17: if operation > 200 { engine.receiveEndOfInput(now: now) }
    case 18: if operation > 200 { engine.close(.shutdown, text: "enough", now: now) }
    default: if operation > 200 { engine.drain(now: now) }
    }
    try settle()
  }

  private mutating func speak(_ operation: UInt8, _ input: inout FuzzInput) {
    let encoder = FrameEncoder()
    switch operation % 20 {
    case 0: FrameEncoder.writePreface(into: &incoming)
    case 1: incoming.writeBytes(ProtocolConstants.preface.prefix(Int(input.choice() % 9)))
    case 2, 3: encoder.write(.hello(hello(&input)), into: &incoming)
    case 4:
      let proof = Array(input.literal(upTo: ProtocolConstants.proofLimit).readableBytesView)
      encoder.write(
        .authentication(Authentication(method: input.choice() % 5, proof: proof)), into: &incoming)
    case 5: encoder.write(.welcome(.accepted(grantsRoute: input.flag())), into: &incoming)
    case 6:
      let code = ErrorCode(rawValue: 1 + UInt32(input.choice()))
      let winner = input.flag() ? Nonce(high: 1, low: 1) : nil
      encoder.write(.welcome(.refused(Refusal(code: code, text: "no", winner: winner))), into: &incoming)
    case 7:
      encoder.write(
        .goAway(
          GoAway(lastStream: UInt64(input.choice()), code: ErrorCode(rawValue: UInt32(input.choice())))),
        into: &incoming)
    case 8: HandMadeFrame(&input).write(into: &incoming, isChecksummed: input.flag())
    default: incoming.writeImmutableBuffer(input.literal(upTo: 255))
    }
    switch operation / 20 {
    case 0...7: deliver(piece: .max)
    case 8: deliver(piece: 1)
    case 9: deliver(piece: 1 + Int(input.choice()))
    default: break
    }
  }

  /// A HELLO that is right but for what the input changes, or any bytes.
  private func hello(_ input: inout FuzzInput) -> ByteBuffer {
    let form = input.choice()
    if form >= 0xF0 { return input.literal(upTo: 255) }
    let isNew = form & 1 != 0
    let hello = try? Hello(
      minimumVersion: isNew ? UInt16(input.choice()) : 1, maximumVersion: isNew ? UInt16(input.choice()) : 1,
      features: Features(rawValue: form & 2 == 0 ? 1 : input.word()),
      methods: form & 4 == 0
        ? (usesKey ? .sharedKey : [.none, .tls]) : AuthenticationMethods(rawValue: UInt32(input.choice())),
      maximumFramePayload: form & 8 == 0 ? 65_536 : 4_096, incarnation: 7,
      nonce: form & 16 == 0 ? Nonce(high: 2, low: 2) : Nonce(high: 1, low: 1),
      clusterID: form & 32 == 0 ? "cluster" : "another",
      serverID: form & 64 == 0 ? "b" : input.pick(["a", "c", "b"]),
      targetServerID: role == .dialler ? "" : form & 128 == 0 ? "a" : input.pick(["", "b", "a"]))
    var payload = ByteBuffer()
    hello?.encode(into: &payload)
    if form & 128 != 0, payload.readableBytes > 0 {
      payload.setInteger(input.choice(), at: input.short() % payload.readableBytes)
    }
    return payload
  }

  /// Owners answer each question once, in the one way or the other.
  private mutating func answer(_ choice: UInt8) {
    guard let question else { return }
    self.question = nil
    switch question {
    case .proof: engine.provideProof(Array(repeating: choice, count: Int(choice) % 33), now: now)
    case .check:
      wasProofRight = choice < 0xF0
      engine.proofWasChecked(isValid: wasProofRight, now: now)
    case .welcome:
      guard choice < 0xF0 else { return engine.refuse(Refusal(code: .unauthorized, text: "you"), now: now) }
      hasAccepted = true
      engine.accept(grantsRoute: choice & 1 == 0, now: now)
    }
  }

  private mutating func open(_ input: inout FuzzInput) throws {
    let opening = StreamOpening(trafficClass: input.pick(TrafficClass.allCases))
    guard let key = try? engine.open(opening, now: now) else { return }
    try events.opened(key, opening)
    engine.write(FuzzInput.payload(10), to: key)
  }

  private mutating func pass(_ amount: TimeAmount) {
    now = now + amount
    if let deadline = engine.nextDeadline, deadline <= now { engine.handleTimeout(now: now) }
  }

  // MARK: Moving

  private mutating func deliver(piece: Int) {
    let bytes = incoming
    incoming = ByteBuffer()
    firstReceived += bytes.readableBytesView.prefix(8 - firstReceived.count)
    for part in bytes.pieces(of: piece) { engine.receive(part, now: now) }
  }

  private mutating func transmit(limit: Int) throws {
    while let bytes = engine.nextTransmission(limit: limit, now: now) { try sent(bytes) }
  }

  private mutating func sent(_ bytes: ByteBuffer) throws {
    try require(
      role == .dialler || firstReceived == ProtocolConstants.preface, "a stranger was answered")
    sentBytes += bytes.readableBytes
    var rest = bytes
    let missing = 8 - firstSent.count
    if missing > 0 { firstSent += rest.readBytes(length: min(missing, rest.readableBytes)) ?? [] }
    try require(ProtocolConstants.preface.starts(with: firstSent), "no preface, but \(firstSent)")
    sentDecoder.append(rest)
    while let event = try sentDecoder.next() {
      if case .frame(.welcome(.accepted)) = event {
        try require(hasAccepted, "a WELCOME that the owner did not speak")
        sentDecoder.endHandshake(isChecksummed: agreement?.features.contains(.crc32) == true)
      }
      if case .data = event { try require(isEstablished, "DATA in the handshake") }
    }
    try require(isEstablished || sentBytes <= 5_120, "a handshake of \(sentBytes) bytes")
  }

  // MARK: Events

  private mutating func settle() throws {
    while let event = engine.nextEvent() {
      try events.handle(event)
      try note(event)
      if answersAtOnce { answer(0) }
    }
  }

  private mutating func note(_ event: MuxEvent) throws {
    switch event {
    case .proofNeeded:
      try require(question == nil && usesKey, "asked for a proof")
      question = .proof
    case .proofReceived:
      try require(question == nil && usesKey, "asked to check a proof")
      question = .check
    case .peerAuthenticated(let hello, let agreement):
      try require(question == nil && self.agreement == nil, "authenticated twice")
      try require(agreement.method != .sharedKey || wasProofRight, "authenticated without a proof")
      try require(usesKey || agreement.method != .sharedKey, "a method that was not offered")
      try require(hello.clusterID == "cluster", "a stranger to the cluster")
      self.agreement = agreement
      question = .welcome
    case .established:
      try require(hasAccepted && !isEstablished, "established without consent")
      isEstablished = true
    case .data, .opened, .finished, .reset, .stopped, .writable, .pong:
      try require(isEstablished, "before it was established: \(event)")
    case .rejected, .refused, .draining, .ending, .shouldCloseOutput, .closed:
      break
    }
  }

  // MARK: The end

  /// The peer falls silent: a handshake is over after five seconds, and a connection not much later.
  mutating func end() throws {
    deliver(piece: .max)
    try settle()
    let limit = now + .minutes(1)
    var turns = 0
    while !events.isClosed {
      turns += 1
      try require(turns < 5_000 && now < limit, "it does not end: \(events.life)")
      try transmit(limit: 65_536)
      try settle()
      guard !events.isClosed else { break }
      guard let deadline = engine.nextDeadline else { throw FuzzFinding(description: "it waits for nothing") }
      try require(isEstablished || deadline <= Established.start + .minutes(2), "a handshake without end")
      now = max(now + .microseconds(1), deadline)
      engine.handleTimeout(now: now)
      try settle()
    }
  }
}
