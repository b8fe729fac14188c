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
    guard let command = try assembler.nextCommand() else {
      accountForIncomplete(before, stream, driver)
      return nil
    }
    accountForComplete(stream, driver)
    return Sized(message: command, byteCount: before - assembler.pendingBytes)
  }

  /// The next answer; `nil` until more has arrived.
  mutating func nextAnswer<Response: WireResponse>(
    _ type: Response.Type, _ stream: StreamKey, _ driver: ConnectionDriver
  ) throws(WireError) -> Sized<WireAnswer<Response>>? {
    let before = assembler.pendingBytes
    guard let answer = try assembler.nextAnswer(type) else {
      accountForIncomplete(before, stream, driver)
      return nil
    }
    accountForComplete(stream, driver)
    return Sized(message: answer, byteCount: before - assembler.pendingBytes)
  }

  /// Bytes between messages, at most so many.
  mutating func nextRawBytes(atMost limit: Int) -> ByteBuffer? {
    assembler.nextRawBytes(atMost: limit)
  }

  private mutating func accountForComplete(_ stream: StreamKey, _ driver: ConnectionDriver) {
    if absorbed > 0 { driver.engine.assembled(stream) }
    absorbed = 0
  }

  private mutating func accountForIncomplete(
    _ pending: Int, _ stream: StreamKey, _ driver: ConnectionDriver
  ) {
    guard pending > absorbed else { return }
    driver.engine.absorb(pending - absorbed, of: stream)
    absorbed = pending
  }
}
