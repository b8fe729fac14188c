import NIOCore
import StreamMux

/// Two engines whose owners do anything that owners may: neither ever finds fault with the other, every byte arrives
/// once and in order, and in the end nothing is left over.
enum PairTarget {
  @Sendable
  static func run(_ bytes: ByteBuffer) throws {
    var input = FuzzInput(bytes)
    var run = PairRun(mode: input.choice())
    var steps = 0
    while steps < 400, let operation = input.byte() {
      steps += 1
      try run.perform(operation, &input)
    }
    try run.quiesce()
  }
}

private struct PairRun {
  /// A stream as nobody sees it. Direction 0 is the opener's.
  struct Stream {
    let opener: Int
    var written: [UInt64] = [0, 0]
    var isFinished = [false, false]
  }

  /// 0 is the dialler.
  private var engines: [MuxConnection]
  private var events = [EventWatch(), EventWatch()]
  private var senders: [SenderWatch]
  /// Bytes on the way from each side.
  private var wire = [ByteBuffer(), ByteBuffer()]
  private var now = Established.start
  private var streams: [Stream] = []
  /// The stream behind each key.
  private var names: [[StreamKey: Int]] = [[:], [:]]
  private var drains = false

  init(mode: UInt8) {
    let pair = Established.variants[Int(mode) % Established.variants.count]
    engines = [pair.dialler, pair.acceptor]
    senders = [
      SenderWatch(.dialler, peer: pair.acceptorHello, isChecksummed: pair.isChecksummed),
      SenderWatch(.acceptor, peer: pair.diallerHello, isChecksummed: pair.isChecksummed),
    ]
  }

  // MARK: Operations

  mutating func perform(_ operation: UInt8, _ input: inout FuzzInput) throws {
    let side = Int(operation >> 7)
    switch operation & 0x1F {
    case 0: try open(side, &input)
    case 1..<OwnerOperation.count:
      try OwnerOperation.perform(
        operation & 0x1F, &input, on: &engines[side], &events[side], now: now,
        payload: { [names] key, end, count in
          Self.bytes(names[side][key] ?? 0, at: end.written, count: count)
        })
      noteWritten(side)
    case 10:
      // Each answer costs the peer some of what PINGs may cost it, so not too many.
      if input.choice() < 16, senders[side].pings.count < 16 { _ = engines[side].ping(now: now) }
    case 11:
      guard operation & 0x60 == 0x60 else { break }
      engines[side].drain(now: now)
      drains = true
    case 12, 13:
      guard now - Established.start < .seconds(3) else { break }
      now = now + .microseconds(Int64(input.short()))
      handleTimeouts()
    case 14..<20:
      try transmit(side, limit: 1 + input.length(upTo: 65_536), most: 1 + Int(operation >> 5 & 3) * 4)
    case 20..<26:
      deliver(side, upTo: input.length(upTo: 65_536), piece: operation & 0x40 == 0 ? .max : 1 + side)
    default:
      try transmit(side, limit: 65_536, most: .max)
      deliver(side, upTo: .max, piece: .max)
    }
    try settle()
  }

  private mutating func open(_ side: Int, _ input: inout FuzzInput) throws {
    let trafficClass = input.pick(TrafficClass.allCases)
    let opening = StreamOpening(trafficClass: trafficClass, group: UInt64(streams.count))
    let key: StreamKey
    do throws(OpenError) {
      key = try engines[side].open(opening, now: now)
    } catch {
      return try require(error == .tooManyPending || drains, "open threw \(error)")
    }
    try events[side].opened(key, opening)
    names[side][key] = streams.count
    streams.append(Stream(opener: side))
  }

  /// The bytes of a stream are a function of stream and position.
  private static func bytes(_ stream: Int, at position: UInt64, count: Int) -> ByteBuffer {
    FuzzInput.pattern(at: position &+ UInt64(stream) &* 257, count: count)
  }

  private func direction(_ side: Int, _ stream: Int) -> Int { streams[stream].opener == side ? 0 : 1 }

  private mutating func noteWritten(_ side: Int) {
    for (key, end) in events[side].ends {
      guard let stream = names[side][key] else { continue }
      streams[stream].written[direction(side, stream)] = end.written
      streams[stream].isFinished[direction(side, stream)] = end.hasFinished
    }
  }

  // MARK: Moving

  private mutating func transmit(_ side: Int, limit: Int, most: Int) throws {
    var count = 0
    while count < most, let bytes = engines[side].nextTransmission(limit: limit, now: now) {
      count += 1
      try senders[side].sent(bytes)
      wire[side].writeImmutableBuffer(bytes)
    }
  }

  private mutating func deliver(_ side: Int, upTo limit: Int, piece: Int) {
    guard let bytes = wire[side].readSlice(length: min(limit, wire[side].readableBytes)),
      bytes.readableBytes > 0
    else { return }
    senders[1 - side].peerSent(bytes)
    for part in bytes.pieces(of: piece) { engines[1 - side].receive(part, now: now) }
    wire[side].discardReadBytes()
  }

  private mutating func handleTimeouts() {
    for side in 0...1 {
      if let deadline = engines[side].nextDeadline, deadline <= now { engines[side].handleTimeout(now: now) }
    }
  }

  private mutating func settle() throws {
    for side in 0...1 {
      while let event = engines[side].nextEvent() { try handle(event, side) }
      try Established.checkMemory(engines[side], events[side])
    }
  }

  private mutating func handle(_ event: MuxEvent, _ side: Int) throws {
    switch event {
    case .opened(let key, let opening):
      let stream = Int(opening.group)
      try require(stream < streams.count && streams[stream].opener == 1 - side, "an opening that nobody made")
      names[side][key] = stream
    case .data(let key, let bytes):
      guard let stream = names[side][key], let end = events[side].ends[key] else { break }
      let direction = 1 - direction(side, stream)
      try require(
        bytes == Self.bytes(stream, at: end.delivered, count: bytes.readableBytes),
        "wrong bytes on stream \(stream) behind \(end.delivered)")
      try require(
        end.delivered + UInt64(bytes.readableBytes) <= streams[stream].written[direction],
        "more bytes than were written on stream \(stream)")
    case .finished(let key):
      guard let stream = names[side][key], let end = events[side].ends[key] else { break }
      let direction = 1 - direction(side, stream)
      try require(
        streams[stream].isFinished[direction] && streams[stream].written[direction] == end.delivered,
        "stream \(stream) finished at \(end.delivered) of \(streams[stream].written[direction])")
    case .ending(let closure):
      // Who still holds a stream when the other side is done with all of them sees the end of its input, behind the
      // GOAWAY of the drain or without one.
      let isInOrder = [.drained, .endOfInput, .peerError(.shutdown, "")].contains(closure)
      try require(drains && isInOrder, "the connection ends: \(closure)")
    case .draining(_, let code, _):
      try require(drains && code == .shutdown, "the peer drains: \(code)")
    default:
      break
    }
    try events[side].handle(event)
  }

  // MARK: Quiescence

  /// Owners read all, finish all and let all go; then nothing may be left over.
  mutating func quiesce() throws {
    for _ in 0..<3_000 {
      var isBusy = false
      for side in 0...1 {
        for key in events[side].keys { isBusy = tidy(side, key) || isBusy }
      }
      noteWritten(0)
      noteWritten(1)
      try settle()
      let hasMoved = try exchange()
      if !isBusy && !hasMoved && (!drains || events.allSatisfy(\.isClosed)) { break }
      if !hasMoved { advance() }
    }
    for side in 0...1 where events[side].closure == nil {
      let figures = engines[side].figures
      try require(figures.streams.total == 0, "side \(side) keeps \(figures.streams)")
      try require(figures.assembling == 0, "side \(side) assembles \(figures.assembling) bytes of nothing")
      try require(figures.reservedWindows == 0, "side \(side) reserves \(figures.reservedWindows) bytes")
      try require(figures.pendingOpens == 0, "side \(side) has \(figures.pendingOpens) opens left")
      try require(!engines[side].hasTransmission, "side \(side) has something to send")
    }
    try require(!drains || events.allSatisfy(\.isClosed), "a drain that does not end: \(events.map(\.life))")
  }

  /// Brings one end of a stream nearer to its end. False: it is let go.
  private mutating func tidy(_ side: Int, _ key: StreamKey) -> Bool {
    guard let end = events[side].ends[key], !end.isReleased, events[side].closure == nil else { return false }
    OwnerOperation.consume(key, end, upTo: .max, wholeMessage: true, on: &engines[side], &events[side])
    if !end.hasFinished && !end.hasEndedSending {
      engines[side].finish(key)
      events[side].ends[key]?.hasFinished = true
    }
    let hasSent = engines[side].queuedBytes(key) == 0
    if end.isRejected || (end.hasEndedReceiving && hasSent && (end.hasFinished || end.hasEndedSending)) {
      engines[side].release(key)
      events[side].ends[key]?.isReleased = true
    }
    return true
  }

  private mutating func exchange() throws -> Bool {
    var hasMoved = false
    for side in 0...1 {
      try transmit(side, limit: 65_536, most: .max)
      hasMoved = hasMoved || wire[side].readableBytes > 0
      deliver(side, upTo: .max, piece: .max)
      try settle()
      if events[side].hasClosedOutput { engines[1 - side].receiveEndOfInput(now: now) }
      try settle()
    }
    return hasMoved
  }

  /// Bulk that is held back, and a drain, wait for time to pass.
  private mutating func advance() {
    let next = engines.indices.compactMap { engines[$0].nextDeadline }.min() ?? now
    now = max(now + .milliseconds(1), min(next, now + .milliseconds(100)))
    handleTimeouts()
  }
}
