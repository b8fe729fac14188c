import NIOCore
import RaftWire

/// The MessagePack decoder.
///
/// Any bytes: judged alike whole and in pieces, and by the direct decoder; what was read survives being written and
/// read again, in every profile.
enum WireTarget {
  @Sendable
  static func run(_ bytes: ByteBuffer) throws {
    var input = FuzzInput(bytes)
    let shape = input.choice()
    let pieceSize = 1 + Int(input.choice() % 32)
    let limits =
      shape & 0x80 == 0
      ? MessageLimits.defaults : MessageLimits(maximumMessageBytes: 300, maximumElements: 20, maximumDepth: 6)
    let check = WireCheck(bytes: input.rest, pieceSize: pieceSize, limits: limits)
    switch shape & 0x7F {
    case 1: try check.answers(AppendEntriesResponse.self)
    case 2: try check.answers(RequestVoteResponse.self)
    case 3: try check.answers(InstallSnapshotResponse.self)
    case 4: try check.answers(TimeoutNowResponse.self)
    case 5: try check.answers(RequestPreVoteResponse.self)
    default: try check.commands()
    }
  }
}

/// One stream of messages, read in several ways.
private struct WireCheck {
  private struct Outcome<Message: Equatable> {
    var messages: [Message] = []
    var pending = 0
    var failure: WireError?
  }

  let bytes: ByteBuffer
  let pieceSize: Int
  let limits: MessageLimits

  func commands() throws {
    let messages = try compare { assembler throws(WireError) in try assembler.nextCommand() }
    let decoder = WireDecoder(limits: limits)
    var rest = bytes
    let direct = Result { () throws(WireError) in try decoder.decodeCommand(from: &rest) }
    try agree(direct, messages.first, rest)
    for message in messages {
      try roundTrip(
        message,
        write: { encoder, buffer throws(WireError) in try encoder.encode(command: message, into: &buffer) },
        rewrite: { encoder, message, buffer throws(WireError) in
          try encoder.encode(command: message, into: &buffer)
        },
        read: { buffer throws(WireError) in try WireDecoder().decodeCommand(from: &buffer) })
    }
  }

  func answers<Response: WireResponse>(_: Response.Type) throws {
    let messages = try compare { assembler throws(WireError) in try assembler.nextAnswer(Response.self) }
    var rest = bytes
    let direct = Result { () throws(WireError) in
      try WireDecoder(limits: limits).decodeAnswer(Response.self, from: &rest)
    }
    try agree(direct, messages.first, rest)
    for message in messages {
      try roundTrip(
        message,
        write: { encoder, buffer throws(WireError) in try encoder.encode(answer: message, into: &buffer) },
        rewrite: { encoder, message, buffer throws(WireError) in
          try encoder.encode(answer: message, into: &buffer)
        },
        read: { buffer throws(WireError) in try WireDecoder().decodeAnswer(Response.self, from: &buffer) })
    }
  }

  /// The same messages whole and in pieces. A verdict that was reached on a part cannot change with more of it; only
  /// may the whole be refused for something that pieces have not come to judge for lack of their end.
  private func compare<Message: Equatable>(
    _ next: (inout MessageAssembler) throws(WireError) -> Message?
  ) throws -> [Message] {
    let whole = outcome(in: [bytes], next)
    let pieces = outcome(in: bytes.pieces(of: pieceSize), next)
    try require(whole.messages == pieces.messages, "other messages in pieces of \(pieceSize)")
    try require(
      pieces.failure == nil || whole.failure != nil,
      "in pieces \(String(describing: pieces.failure)), whole none")
    if whole.failure == nil {
      try require(whole.pending == pieces.pending, "\(whole.pending) pending, in pieces \(pieces.pending)")
    }
    return whole.messages
  }

  private func outcome<Message: Equatable>(
    in pieces: [ByteBuffer], _ next: (inout MessageAssembler) throws(WireError) -> Message?
  ) -> Outcome<Message> {
    var assembler = MessageAssembler(limits: limits)
    var outcome = Outcome<Message>()
    do throws(WireError) {
      for piece in pieces {
        assembler.append(piece)
        while let message = try next(&assembler) { outcome.messages.append(message) }
      }
    } catch {
      outcome.failure = error
    }
    outcome.pending = assembler.pendingBytes
    return outcome
  }

  private func agree<Message: Equatable>(
    _ direct: Result<Message, WireError>, _ first: Message?, _ rest: ByteBuffer
  ) throws {
    switch direct {
    case .success(let message):
      try require(message == first, "the direct decoder read something else")
    case .failure(let error):
      try require(first == nil, "the direct decoder refused what the assembler read: \(error)")
      try require(rest == bytes, "bytes were taken though they were refused")
    }
  }

  private func roundTrip<Message: Equatable>(
    _ message: Message,
    write: (WireEncoder, inout ByteBuffer) throws(WireError) -> Void,
    rewrite: (WireEncoder, Message, inout ByteBuffer) throws(WireError) -> Void,
    read: (inout ByteBuffer) throws(WireError) -> Message
  ) throws {
    for profile in WireProfile.allCases {
      let encoder = WireEncoder(profile: profile)
      var first = ByteBuffer()
      do throws(WireError) {
        try write(encoder, &first)
      } catch {
        try require(error.code == .notEncodable && first.readableBytes == 0, "\(profile): \(error)")
        continue
      }
      var unread = first
      let once = try read(&unread)
      try require(unread.readableBytes == 0, "\(profile): bytes behind the message")
      try require(profile != .modern || once == message, "what was written is not what was read: \(message)")
      var second = ByteBuffer()
      try rewrite(encoder, once, &second)
      try require(try read(&second) == once, "\(profile): it changes each time it is written")
      try prefix(of: first, is: read)
    }
  }

  /// No part of a message is one.
  private func prefix<Message>(
    of message: ByteBuffer, is read: (inout ByteBuffer) throws(WireError) -> Message
  ) throws {
    guard var part = message.getSlice(at: 0, length: message.readableBytes * pieceSize / 33) else { return }
    do throws(WireError) {
      _ = try read(&part)
    } catch {
      return try require(error.code == .truncated, "a part of a message is refused: \(error)")
    }
    throw FuzzFinding(description: "a part of a message was taken for one")
  }
}
