import NIOCore
import RaftWire
import StreamMux

/// Puts the messages of one half of a stream together and accounts to the engine for the bytes of incomplete ones
/// (R-FLW): a message may be larger than any window, so what is held of it has to be credited before its end.
struct MessageIntake {
  private var assembler: MessageAssembler
  /// Bytes of the incomplete message that the engine knows to be held.
  private var absorbed = 0

  /// A message and the bytes that it took, which are credited when it has been dealt with.
  struct Sized<Message> {
    let message: Message
    let byteCount: Int
  }

  init(limits: MessageLimits) {
    assembler = MessageAssembler(limits: limits)
  }

  /// Bytes that arrived and belong to no complete message.
  var pendingBytes: Int { assembler.pendingBytes }

  mutating func append(_ bytes: ByteBuffer) {
    assembler.append(bytes)
  }

  /// The next request; `nil` until more has arrived.
  mutating func nextCommand(
    _ stream: StreamKey, _ driver: ConnectionDriver
  ) throws(WireError) -> Sized<WireCommand>? {
    let before = assembler.pendingBytes
    let command = try assembler.nextCommand()
    account(before, isComplete: command != nil, stream, driver)
    return command.map { Sized(message: $0, byteCount: before - assembler.pendingBytes) }
  }

  /// The next answer; `nil` until more has arrived.
  mutating func nextAnswer<Response: WireResponse>(
    _ type: Response.Type, _ stream: StreamKey, _ driver: ConnectionDriver
  ) throws(WireError) -> Sized<WireAnswer<Response>>? {
    let before = assembler.pendingBytes
    let answer = try assembler.nextAnswer(type)
    account(before, isComplete: answer != nil, stream, driver)
    return answer.map { Sized(message: $0, byteCount: before - assembler.pendingBytes) }
  }

  /// Bytes between messages, at most so many.
  mutating func nextRawBytes(atMost limit: Int) -> ByteBuffer? {
    assembler.nextRawBytes(atMost: limit)
  }

  private mutating func account(
    _ pending: Int, isComplete: Bool, _ stream: StreamKey, _ driver: ConnectionDriver
  ) {
    if isComplete {
      if absorbed > 0 { driver.engine.assembled(stream) }
      absorbed = 0
    } else if pending > absorbed {
      driver.engine.absorb(pending - absorbed, of: stream)
      absorbed = pending
    }
  }
}
