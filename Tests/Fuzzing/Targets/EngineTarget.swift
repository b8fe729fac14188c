import NIOCore
import StreamMux

/// The frame engine, behind its handshake, against a peer that may do anything, while its owner does all that owners
/// do: nothing traps, nothing grows, what it sends keeps the rules, and whatever happens it ends.
enum EngineTarget {
  @Sendable
  static func run(_ bytes: ByteBuffer) throws {
    var input = FuzzInput(bytes)
    var run = EngineRun(mode: input.choice())
    var steps = 0
    while steps < 500, let operation = input.byte() {
      steps += 1
      try run.perform(operation, &input)
    }
    try run.end()
  }
}

private struct EngineRun {
  private let role: Role
  private let isChecksummed: Bool
  /// Whether the socket takes anything in the end.
  private let isBlocked: Bool
  private var engine: MuxConnection
  private var events = EventWatch()
  private var sender: SenderWatch
  private var now = Established.start
  /// What the peer has said and the engine has not been given.
  private var incoming = ByteBuffer()

  init(mode: UInt8) {
    let pair = Established.variants[Int(mode >> 1) % Established.variants.count]
    role = mode & 1 == 0 ? .acceptor : .dialler
    isChecksummed = pair.isChecksummed
    isBlocked = mode & 0x80 != 0
    engine = role == .acceptor ? pair.acceptor : pair.dialler
    sender = SenderWatch(
      role, peer: role == .acceptor ? pair.diallerHello : pair.acceptorHello, isChecksummed: isChecksummed)
  }

  // MARK: Operations

  mutating func perform(_ operation: UInt8, _ input: inout FuzzInput) throws {
    switch operation % 32 {
    case 0..<OwnerOperation.count:
      try OwnerOperation.perform(
        operation % 32, &input, on: &engine, &events, now: now,
        payload: { _, _, count in FuzzInput.payload(count) })
    case 10: _ = engine.ping(now: now)
    case 11: if operation >= 0xC0 { engine.drain(now: now) }
    case 12: if operation >= 0xC0 { engine.close(.shutdown, text: "enough", now: now) }
    case 13: if operation >= 0xC0 { engine.receiveEndOfInput(now: now) }
    case 14: try pass(.milliseconds([1, 10, 100, 1_000, 6_000][Int(operation >> 5) % 5]))
    case 15, 16: try transmit(limit: 1 + input.length(upTo: 65_536), most: 1 + Int(operation >> 5))
    case 17: takeFigures(&input)
    default: speak(operation, &input)
    }
    try settle()
  }

  /// The peer says something, and the engine hears of it at once, in pieces, or later.
  private mutating func speak(_ operation: UInt8, _ input: inout FuzzInput) {
    let encoder = FrameEncoder(isChecksummed: isChecksummed)
    switch operation % 32 {
    case 18, 19: openStream(&input, encoder)
    case 20, 21, 22: sendData(&input, encoder)
    case 23: encoder.write(.credit(stream: stream(&input), limit: credit(&input)), into: &incoming)
    case 24: encoder.write(.reset(stream: stream(&input), code: code(&input)), into: &incoming)
    case 25: encoder.write(.stop(stream: stream(&input), code: code(&input)), into: &incoming)
    case 26: encoder.write(.ping(UInt64(input.choice())), into: &incoming)
    case 27: encoder.write(.pong(pong(&input)), into: &incoming)
    case 28:
      encoder.write(.streams(input.pick(TrafficClass.allCases), limit: credit(&input)), into: &incoming)
    case 29:
      let last = input.flag() ? ProtocolConstants.soon : stream(&input)
      encoder.write(.goAway(GoAway(lastStream: last, code: code(&input), text: "bye")), into: &incoming)
    case 30: HandMadeFrame(&input).write(into: &incoming, isChecksummed: isChecksummed)
    default: incoming.writeImmutableBuffer(input.literal(upTo: 255))
    }
    switch operation >> 5 {
    case 0...3: deliver(incoming.readableBytes, piece: .max)
    case 4: deliver(incoming.readableBytes, piece: 1)
    case 5: deliver(incoming.readableBytes, piece: 1 + Int(input.choice()))
    case 6: deliver(incoming.readableBytes - Int(input.choice()), piece: .max)
    default: break
    }
  }

  private mutating func openStream(_ input: inout FuzzInput, _ encoder: FrameEncoder) {
    let form = input.choice()
    let payload = FuzzInput.payload(form & 8 == 0 ? 0 : input.length(upTo: 4_000))
    let id = role.peer.firstStreamID + 2 * UInt64(sender.peerStreams)
    encoder.write(
      DataHeader(
        stream: form & 0x40 == 0 ? id : stream(&input),
        opening: DataHeader.Opening(
          trafficClass: form & 3, encoding: form >> 4 & 3, group: UInt64(form & 0x80)),
        isLast: form & 4 != 0, byteCount: payload.readableBytes),
      payload: payload, into: &incoming)
  }

  private mutating func sendData(_ input: inout FuzzInput, _ encoder: FrameEncoder) {
    let form = input.choice()
    let payload = FuzzInput.payload(input.length(upTo: 65_536))
    encoder.write(
      DataHeader(
        stream: stream(&input), isLast: form & 7 == 1, hasMore: form & 8 == 0,
        byteCount: payload.readableBytes),
      payload: payload, into: &incoming)
  }

  /// Mostly a stream that there is.
  private func stream(_ input: inout FuzzInput) -> UInt64 {
    let choice = input.choice()
    let opener: Role = choice & 1 == 0 ? role.peer : role
    let index = UInt64(choice >> 1)
    return opener.firstStreamID + 2 * (opener == role ? index : index % UInt64(max(1, sender.peerStreams)))
  }

  private func credit(_ input: inout FuzzInput) -> UInt64 {
    let choice = input.choice()
    return choice >= 250 ? .max : UInt64(choice) << (choice & 15)
  }

  private func code(_ input: inout FuzzInput) -> ErrorCode {
    ErrorCode(rawValue: UInt32(input.choice() % 0x50))
  }

  private func pong(_ input: inout FuzzInput) -> UInt64 {
    let choice = input.choice()
    guard !sender.pings.isEmpty, choice < 0xF0 else { return UInt64(choice) }
    return sender.pings[Int(choice) % sender.pings.count]
  }

  // MARK: Moving

  private mutating func deliver(_ count: Int, piece: Int) {
    guard count > 0, let bytes = incoming.readSlice(length: count) else { return }
    sender.peerSent(bytes)
    for part in bytes.pieces(of: piece) { engine.receive(part, now: now) }
    incoming.discardReadBytes()
  }

  private mutating func transmit(limit: Int, most: Int) throws {
    var count = 0
    while count < most, let bytes = engine.nextTransmission(limit: limit, now: now) {
      count += 1
      try require(bytes.readableBytes > 0, "a transmission of nothing")
      try sender.sent(bytes)
    }
  }

  private mutating func pass(_ amount: TimeAmount) throws {
    now = now + amount
    if let deadline = engine.nextDeadline, deadline <= now { engine.handleTimeout(now: now) }
  }

  private mutating func takeFigures(_ input: inout FuzzInput) {
    guard engine.wantsFigures(now: now) else { return }
    let sent = engine.figures.bytesSent
    let outstanding = Int(clamping: sent) * Int(input.choice()) / 255
    engine.take(
      input.flag()
        ? nil
        : SocketFigures(
          acknowledged: sent - UInt64(outstanding), unacknowledged: outstanding / 2,
          unsent: outstanding - outstanding / 2, roundTrip: .microseconds(Int64(input.short())),
          roundTripVariation: .microseconds(Int64(input.choice())),
          minimumRoundTrip: input.flag() ? .microseconds(Int64(input.choice())) : nil),
      now: now)
  }

  private mutating func settle() throws {
    while let event = engine.nextEvent() {
      if case .established = event { throw FuzzFinding(description: "established twice") }
      try events.handle(event)
    }
    try Established.checkMemory(engine, events)
  }

  // MARK: The end

  /// The peer falls silent: then the connection ends, by itself, in bounded time.
  mutating func end() throws {
    deliver(incoming.readableBytes, piece: .max)
    try settle()
    let begin = now
    var turns = 0
    while !events.isClosed {
      turns += 1
      try require(
        turns < 20_000 && now < begin + .minutes(2),
        "it does not end, \(turns) turns and \(now - begin) later: \(events.life)")
      // A driver asks its system when it is told to; this system knows nothing.
      if engine.wantsFigures(now: now) { engine.take(nil, now: now) }
      if !isBlocked { try transmit(limit: 65_536, most: .max) }
      try settle()
      guard !events.isClosed else { break }
      guard let deadline = engine.nextDeadline else { throw FuzzFinding(description: "it waits for nothing") }
      now = max(now + .microseconds(1), deadline)
      engine.handleTimeout(now: now)
      try settle()
    }
    try require(!engine.hasTransmission && engine.nextDeadline == nil, "closed, and not at rest")
    engine.receive(FuzzInput.payload(20), now: now)
    engine.receiveEndOfInput(now: now)
    try require(engine.nextEvent() == nil, "an event behind the last")
  }
}
