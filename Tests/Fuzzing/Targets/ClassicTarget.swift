import Logging
import NIOCore
import NIOEmbedded
import RaftTransport
import RaftWire

/// The server of the old protocol: a few connections, whose peers say whatever the input says, in any order with the
/// answers of handlers and with time that passes.
///
/// What has to hold: a connection's requests come one at a time, whole and in order, and each is answered once, in that
/// order; what is held stays within the budget; and nothing is left of connections that are over.
enum ClassicTarget {
  @Sendable
  static func run(_ bytes: ByteBuffer) throws {
    var input = FuzzInput(bytes)
    var run = try ClassicRun(&input)
    while let operation = input.byte() { try run.perform(operation, &input) }
    try run.conclude()
  }
}

/// One run of the target.
private struct ClassicRun {
  private static let maximumMessage = 32 << 10
  private static let budget = 128 << 10

  /// A connection and what was said on it.
  private final class Connection {
    let channel: EmbeddedChannel
    let tap = ReadTap()
    /// All bytes that the peer has sent, and those of them that the server has not read.
    var sent = ByteBuffer()
    var unread = ByteBuffer()
    var hasFinished = false
    /// Texts of answers that came.
    var answers: [String] = []
    var received = ByteBuffer()

    init(_ loop: EmbeddedEventLoop) throws {
      channel = EmbeddedChannel(loop: loop)
      try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
      try channel.pipeline.syncOperations.addHandler(tap)
    }

    /// What the peer has asked so far, as far as it can be read.
    func expected() -> [WireCommand] {
      var assembler = MessageAssembler(limits: MessageLimits(maximumMessageBytes: maximumMessage))
      assembler.append(sent)
      var commands: [WireCommand] = []
      var missing: Int64 = 0
      while true {
        if missing > 0 {
          guard let body = assembler.nextRawBytes(atMost: Int(clamping: missing)) else { return commands }
          missing -= Int64(body.readableBytes)
        } else {
          guard let command = try? assembler.nextCommand() else { return commands }
          commands.append(command)
          if case .installSnapshot(let request) = command { missing = max(0, request.size) }
        }
      }
    }
  }

  private let loop = EmbeddedEventLoop()
  private let listener: ClassicListener
  private var connections: [Connection] = []
  /// Requests that handlers have.
  private var held: [IncomingRPC] = []
  /// What was asked, by the text that answers it.
  private var asked: [String: IncomingRPC] = [:]

  init(_ input: inout FuzzInput) throws {
    var configuration = TransportConfiguration(
      serverID: "server", clusterID: "fuzz", eventLoopGroup: loop,
      logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
    configuration.limits.maximumMessageBytes = Self.maximumMessage
    configuration.oldPeers.receiveBudget = Self.budget
    listener = ClassicListener(alone: configuration, eventLoop: loop)
    for _ in 0...(input.choice() % 3) { try connect() }
  }

  private mutating func connect() throws {
    guard connections.count < 8 else { return }
    let connection = try Connection(loop)
    try listener.serve(connection.channel, acceptedAt: loop.now)
    // The first byte is read by somebody else.
    connection.tap.isWanted = true
    connections.append(connection)
  }

  mutating func perform(_ operation: UInt8, _ input: inout FuzzInput) throws {
    let connection = connections[Int(operation >> 5) % connections.count]
    switch operation & 31 {
    case 0...5: say(input.literal(upTo: 255), on: connection)
    case 6...12: say(try request(&input), on: connection)
    case 13, 14: say(FuzzInput.payload(input.length(upTo: 40_000)), on: connection)
    case 15:
      say(
        try encoded(
          InstallSnapshotRequest(term: 7, size: Int64(input.length(upTo: 70_000)) - Int64(input.choice() % 3))
        ),
        on: connection)
    case 16...21: answer(Int(input.choice()))
    case 22: connection.hasFinished = true
    case 23: connection.channel.close(promise: nil)
    case 24, 25: loop.advanceTime(by: .milliseconds(Int64(input.short())))
    case 26: loop.advanceTime(by: .seconds(Int64(input.choice())))
    case 27: listener.retire()
    case 28: try connect()
    default: break
    }
    try settle()
  }

  private func encoded(_ request: some WireRequest) throws -> ByteBuffer {
    var bytes = ByteBuffer()
    try WireEncoder(profile: .default).encode(request: request, into: &bytes)
    return bytes
  }

  private func request(_ input: inout FuzzInput) throws -> ByteBuffer {
    let number = UInt64(input.choice())
    switch input.choice() % 5 {
    case 0: return try encoded(RequestVoteRequest(term: number, lastLogIndex: 1, lastLogTerm: 1))
    case 1: return try encoded(RequestPreVoteRequest(term: number, lastLogIndex: 1, lastLogTerm: 1))
    case 2: return try encoded(TimeoutNowRequest())
    case 3:
      let entries: [LogEntry?] = Array(repeating: nil, count: input.length(upTo: 20_000))
      return try encoded(AppendEntriesRequest(term: number, previousLogIndex: 1, entries: entries))
    default:
      let data = FuzzInput.payload(input.length(upTo: 40_000))
      return try encoded(
        AppendEntriesRequest(
          term: number, previousLogIndex: 1, entries: [LogEntry(index: number, term: 1, data: data)]))
    }
  }

  private func say(_ bytes: ByteBuffer, on connection: Connection) {
    guard !connection.hasFinished, connection.sent.readableBytes < 1 << 20 else { return }
    connection.sent.writeImmutableBuffer(bytes)
    connection.unread.writeImmutableBuffer(bytes)
  }

  private mutating func answer(_ choice: Int) {
    guard !held.isEmpty else { return }
    let rpc = held.remove(at: choice % held.count)
    let text = "answer \(asked.count)"
    asked[text] = rpc
    rpc.fail(text)
  }

  /// Lets happen what can happen, and looks at it.
  private mutating func settle() throws {
    var isMoving = true
    while isMoving {
      isMoving = false
      loop.run()
      for connection in connections where try deliver(connection) { isMoving = true }
      while let rpc = listener.takeRequest() {
        held.append(rpc)
        isMoving = true
      }
    }
    for connection in connections { try hear(connection) }
    try require(held.count <= connections.count, "two requests of a connection at once")
    // The one that reaches the budget and one beyond it, each with its decoded entries; the rest is free for all.
    let most = Self.budget + 2 * 121 * Self.maximumMessage + connections.count * (256 << 10)
    try require(listener.heldBytes <= most, "\(listener.heldBytes) bytes are held of \(most)")
    try require(listener.heldBytes >= 0, "\(listener.heldBytes) bytes are held")
  }

  /// Gives the server what it reads.
  private func deliver(_ connection: Connection) throws -> Bool {
    guard connection.tap.isWanted, connection.channel.isActive else { return false }
    let piece = connection.unread.readSlice(length: min(16 << 10, connection.unread.readableBytes))
    if let piece, piece.readableBytes > 0 {
      connection.tap.isWanted = false
      try connection.channel.writeInbound(ByteBuffer(bytes: piece.readableBytesView))
      return true
    }
    guard connection.hasFinished else { return false }
    connection.tap.isWanted = false
    connection.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    return true
  }

  /// Looks at the answers that have come: each is one to the next request of its connection.
  private func hear(_ connection: Connection) throws {
    while let bytes = try connection.channel.readOutbound(as: ByteBuffer.self) {
      connection.received.writeImmutableBuffer(bytes)
    }
    guard connection.received.readableBytes > 0 else { return }
    let expected = connection.expected()
    while let first = connection.received.readInteger(as: UInt8.self) {
      // A short text, and a response that is nil.
      let text = connection.received.readString(length: Int(first & 0x1F)) ?? ""
      let end = connection.received.readInteger(as: UInt8.self)
      try require(first & 0xE0 == 0xA0 && end == 0xC0, "no answer: \(first) '\(text)'")
      guard let rpc = asked[text] else { throw FuzzFinding(description: "an answer '\(text)' to nothing") }
      try require(!connection.answers.contains(text), "'\(text)' came twice")
      let index = connection.answers.count
      connection.answers.append(text)
      try require(index < expected.count, "an answer to what was not asked")
      try require(isSame(rpc, expected[index]), "'\(text)' answers another request than number \(index)")
    }
  }

  private func isSame(_ rpc: IncomingRPC, _ command: WireCommand) -> Bool {
    switch (rpc.command, command) {
    case (.appendEntries(let one, _), .appendEntries(let other)): one == other
    case (.requestVote(let one, _), .requestVote(let other)): one == other
    case (.requestPreVote(let one, _), .requestPreVote(let other)): one == other
    case (.timeoutNow(let one, _), .timeoutNow(let other)): one == other
    case (.installSnapshot(let one, _, _), .installSnapshot(let other)): one == other
    default: false
    }
  }

  /// Ends everything: every handler answers, all connections go.
  mutating func conclude() throws {
    while !held.isEmpty {
      answer(0)
      try settle()
    }
    for connection in connections where !connection.hasFinished && connection.channel.isActive {
      connection.hasFinished = true
      try settle()
      while !held.isEmpty {
        answer(0)
        try settle()
      }
    }
    for connection in connections {
      // Who has said all and heard all is let go; only who is cut off in a snapshot waits for its handler.
      try require(
        !connection.channel.isActive || !connection.tap.isWanted, "a connection stays open behind its end")
    }
    listener.shutDown()
    loop.run()
    try require(listener.heldBytes == 0, "\(listener.heldBytes) bytes are held by nobody")
    for connection in connections {
      try require(!connection.channel.isActive, "a connection outlives the listener")
      _ = try? connection.channel.finish()
    }
  }
}

/// Notes that the server wants to read.
private final class ReadTap: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer

  var isWanted = false

  func read(context: ChannelHandlerContext) {
    isWanted = true
  }
}
