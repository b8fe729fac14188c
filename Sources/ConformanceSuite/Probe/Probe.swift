internal import NIOCore
internal import RaftWire

/// One connection to the peer under test, on which a case says whatever it wants and looks for what it expects.
///
/// Everything the peer sends is read at once, whatever the case is doing, and looked at by a ``FrameAuditor``. PINGs and
/// requests of the peer are answered unless the case wants to do that itself.
package actor Probe {
  /// What the probe does by itself.
  struct Manners: Sendable {
    var answersPings = true
    var answersRequests = true
    var grantsCredit = true
    /// Whether the system may keep as much as it likes of what was not read yet. (On connections that the suite dials.)
    var hasRoom = true
  }

  enum Ending: Sendable, Equatable {
    case orderly
    case abrupt
  }

  let subject: Subject
  let settings: SuiteSettings
  let channel: any Channel
  private let deadline: NIODeadline
  private var manners: Manners

  private var reader = FrameReader()
  private var auditor: FrameAuditor
  /// What was received and not yet looked at.
  private var frames: [ProbeFrame] = []
  private var receivedBytes = 0
  private(set) var ending: Ending?
  private var waiter: (ticket: Int, continuation: CheckedContinuation<Void, Never>)?
  private var nextTicket = 0
  /// The latest frames of both directions, for the report.
  private var transcript: [String] = []
  private var isChecksummed = false
  private var pump: Task<Void, Never>?
  /// What the probe would say by itself while a case sends single bytes, inside whose frames it must not stand.
  private var heldBack: [ProbeFrame]?

  /// When the connection was made.
  let beginning: NIODeadline
  /// Streams whose half of this side was ended.
  private var ended: Set<UInt64> = []
  private(set) var hello: ProbeHello?
  private(set) var peerHello: ProbeHello?
  /// Both HELLOs as they were sent, with their headers.
  private(set) var helloFrame: [UInt8] = []
  private(set) var peerHelloFrame: [UInt8] = []
  private(set) var peerWelcome: ProbeFrame?
  private var nextStream: UInt64
  private var nextPing: UInt64 = .random(in: 1...(1 << 62))
  private var responders: [UInt64: Responder] = [:]
  /// The peer's requests that came whole, newest last.
  private(set) var requests: [WireCommand] = []
  /// The peer's snapshots that came whole, with their bodies.
  private(set) var snapshots: [Responder.Snapshot] = []
  private var profiles = WriterProfiles()
  /// What the peer's requests have been found to break.
  private var requestFinding: Responder.Finding?
  private(set) var hasReadPreface = false
  private var hasWelcomed = false
  private var hasFinished = false

  init(
    _ socket: ProbeChannel, subject: Subject, settings: SuiteSettings, deadline: NIODeadline,
    manners: Manners = Manners()
  ) {
    self.subject = subject
    self.settings = settings
    self.deadline = deadline
    self.manners = manners
    channel = socket.channel
    beginning = socket.beginning
    auditor = FrameAuditor(subject: subject, hostsSeveralGroups: settings.hostsSeveralGroups)
    nextStream = subject == .server ? 1 : 2
  }

  /// Starts to read. Whatever happens the connection is closed soon behind the case's time, so that nothing waits for a
  /// peer that does not read.
  func start(_ socket: ProbeChannel) {
    channel.eventLoop.scheduleTask(deadline: deadline + .seconds(1)) { [channel] in
      channel.close(promise: nil)
    }
    pump = Task {
      for await arrival in socket.arrivals { self.take(arrival) }
    }
  }

  func close() async {
    try? await channel.close()
    await pump?.value
  }

  func change(_ change: @Sendable (inout Manners) -> Void) {
    change(&manners)
  }

  // MARK: Bytes in

  private func take(_ arrival: Arrival) {
    switch arrival {
    case .bytes(let bytes):
      receivedBytes += bytes.count
      reader.append(bytes)
      while let item = reader.next() { take(item) }
    case .end(let isAbrupt):
      ending = isAbrupt ? .abrupt : .orderly
      note("< end of input\(isAbrupt ? " (reset)" : "")")
    }
    waiter?.continuation.resume()
    waiter = nil
  }

  private func take(_ item: FrameReader.Item) {
    switch item {
    case .preface: hasReadPreface = true
    case .nonsense(let text):
      note("< \(text)")
      auditor.receivedNonsense(text)
    case .frame(let frame, let checksum):
      note("< \(frame)")
      auditor.received(frame, checksum: checksum)
      react(to: frame)
      frames.append(frame)
    }
  }

  private func react(to frame: ProbeFrame) {
    switch frame.type {
    case FrameKind.hello:
      peerHello = ProbeHello(decoding: frame.payload)
      peerHelloFrame = frame.encoded()
    case FrameKind.welcome:
      peerWelcome = frame
      if frame.code == 0 { reader.isChecksummed = agreesOnChecksums }
    case FrameKind.ping where manners.answersPings: transmit([.pong(frame.number ?? 0)])
    case FrameKind.data: serve(frame)
    default: break
    }
  }

  private var agreesOnChecksums: Bool {
    (hello?.features ?? 0) & (peerHello?.features ?? 0) & ProbeHello.crc32 != 0
  }

  /// The two sides have agreed on checksums.
  var usesChecksums: Bool { agreesOnChecksums }

  private func serve(_ frame: ProbeFrame) {
    let isOfPeer = (frame.stream % 2 == 1) == (subject == .client)
    guard isOfPeer else { return }
    var responder =
      responders[frame.stream]
      ?? Responder(window: UInt64(hello?.initialWindow ?? 0), encoding: frame.encoding)
    let answers = responder.receive(frame, &profiles)
    requestFinding = requestFinding ?? answers.finding
    requests += answers.requests
    snapshots += answers.snapshots
    if requests.count > 1_000 { requests.removeFirst(500) }
    if manners.grantsCredit, let limit = responder.dueCredit { transmit([.credit(frame.stream, limit)]) }
    if manners.answersRequests, !answers.bytes.isEmpty || responder.isDone {
      var bytes = answers.bytes
      while bytes.count > 4_096 {
        transmit([.data(frame.stream, Array(bytes.prefix(4_096)))])
        bytes.removeFirst(4_096)
      }
      transmit([.data(frame.stream, bytes, fin: responder.isDone)])
    }
    responders[frame.stream] = responder.isDone ? nil : responder
  }

  private func note(_ line: String) {
    transcript.append(line)
    if transcript.count > 24 { transcript.removeFirst() }
  }

  /// What went on last, in a line.
  var recently: String { transcript.suffix(12).joined(separator: "; ") }

  // MARK: Bytes out

  func send(_ frames: ProbeFrame...) async {
    await send(frames)
  }

  /// Sends frames in one write. That the peer has closed already is its right.
  func send(_ frames: [ProbeFrame]) async {
    _ = try? await write(encode(frames)).get()
  }

  /// Sends frames in one write. True once the peer's system has taken, or will take, all of them.
  func sendAll(_ frames: [ProbeFrame]) async -> Bool {
    do {
      try await write(encode(frames)).get()
      return true
    } catch {
      return false
    }
  }

  /// Reads no more from the connection, but for what was read already.
  func stopReading() async {
    note("> (reads no more)")
    try? await channel.setOption(.autoRead, value: false).get()
  }

  func sendBytes(_ bytes: [UInt8]) async {
    note("> \(bytes.count) raw bytes")
    _ = try? await write(bytes).get()
  }

  /// Each byte in a write of its own.
  func sendByteByByte(_ bytes: [UInt8]) async {
    note("> \(bytes.count) bytes, one by one")
    heldBack = heldBack ?? []
    for byte in bytes { _ = try? await write([byte]).get() }
    let late = heldBack ?? []
    heldBack = nil
    if !late.isEmpty { transmit(late) }
  }

  private func transmit(_ frames: [ProbeFrame]) {
    if heldBack != nil { heldBack? += frames } else { _ = write(encode(frames)) }
  }

  /// Answers nothing from now on. Requests that came before are forgotten: they may have been answered.
  func answerNoMore() {
    manners.answersRequests = false
    frames.removeAll()
  }

  private func write(_ bytes: [UInt8]) -> EventLoopFuture<Void> {
    channel.writeAndFlush(ByteBuffer(bytes: bytes))
  }

  func encode(_ frames: [ProbeFrame]) -> [UInt8] {
    var bytes: [UInt8] = []
    for frame in frames {
      if frames.count <= 24 { note("> \(frame)") }
      auditor.sent(frame)
      bytes += frame.encoded(checksummed: isChecksummed)
      if frame.isLast || frame.type == FrameKind.reset { ended.insert(frame.stream) }
      if frame.type == FrameKind.hello {
        hello = ProbeHello(decoding: frame.payload)
        helloFrame = frame.encoded()
      }
      if frame.type == FrameKind.welcome, frame.code == 0 {
        hasWelcomed = true
        isChecksummed = agreesOnChecksums
      }
    }
    if frames.count > 24 { note("> \(frames.count) frames, the first: \(frames[0])") }
    return bytes
  }

  /// Preface and HELLO.
  func greet(_ hello: ProbeHello) async {
    self.hello = hello
    await sendBytes(FrameReader.preface + encode([.hello(hello)]))
    self.hello = hello
  }

  /// Half-closes.
  func finish() async {
    note("> end of input")
    hasFinished = true
    try? await channel.close(mode: .output)
  }

  /// The next id of this side.
  func newStream() -> UInt64 {
    defer { nextStream += 2 }
    return nextStream
  }

  func newPing() -> UInt64 {
    nextPing += 1
    return nextPing
  }

  // MARK: Waiting

  /// The next frame, or `nil` when the peer has closed its direction.
  func nextFrame(_ expectation: String, within limit: TimeAmount? = nil) async throws -> ProbeFrame? {
    let end = min(deadline, limit.map { .now() + $0 } ?? deadline)
    while true {
      if let frame = popFrame() { return frame }
      if ending != nil { return nil }
      guard NIODeadline.now() < end else {
        throw CaseFailure(expected: expectation, actual: "nothing of it in time (\(recently))")
      }
      await arrival(until: end)
    }
  }

  /// Puts a frame back that somebody else is to look at.
  func returnFrame(_ frame: ProbeFrame) {
    frames.insert(frame, at: 0)
  }

  private func popFrame() -> ProbeFrame? { frames.isEmpty ? nil : frames.removeFirst() }

  /// Waits for the peer for a while, to see whether it says what it must not. True if anything came.
  func hearsAnything(within limit: TimeAmount) async -> Bool {
    let end = min(deadline, .now() + limit)
    let before = receivedBytes
    while receivedBytes == before, ending == nil, NIODeadline.now() < end { await arrival(until: end) }
    return receivedBytes != before || ending != nil
  }

  /// Ends this side's half of a stream by RESET, if that was not done.
  func letGo(of stream: UInt64, _ code: CodeName) async {
    if !ended.contains(stream) { await send(.reset(stream, code.rawValue)) }
  }

  /// How many bytes the peer has sent in all.
  var bytesReceived: Int { receivedBytes }

  private func arrival(until end: NIODeadline) async {
    nextTicket += 1
    let ticket = nextTicket
    let timer = channel.eventLoop.scheduleTask(deadline: end) { Task { await self.expire(ticket) } }
    await withCheckedContinuation { waiter = (ticket, $0) }
    timer.cancel()
  }

  private func expire(_ ticket: Int) {
    guard let waiter, waiter.ticket == ticket else { return }
    self.waiter = nil
    waiter.continuation.resume()
  }

  /// Waits for what the peer said behind the last frame that the case waited for, so that it is looked at, too: an answer
  /// to a PING stands behind it. A peer that cannot answer any more is given a second.
  func settle() async {
    guard isChatting, manners.answersPings else { return }
    let ping = newPing()
    await send(.ping(ping))
    while let frame = try? await nextFrame("PONG", within: .seconds(1)) {
      if frame.type == FrameKind.pong, frame.number == ping { return }
    }
  }

  /// Both WELCOMEs were exchanged, and neither side is at its end.
  private var isChatting: Bool {
    hasWelcomed && peerWelcome?.code == 0 && ending == nil && !hasFinished
  }

  /// What the peer must never have sent on this connection.
  func checkAudit() throws(CaseFailure) {
    if let finding = auditor.finding {
      throw CaseFailure(expected: "a peer that keeps to \(finding.requirement)", actual: finding.text)
    }
    if let finding = requestFinding {
      throw CaseFailure(expected: "requests that keep to \(finding.requirement)", actual: finding.text)
    }
  }
}
