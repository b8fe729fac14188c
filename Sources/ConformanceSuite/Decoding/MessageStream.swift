internal import NIOCore
internal import RaftWire

/// One direction of a stream, or of a connection of the classic protocol: its bytes in, its messages out.
struct MessageStream: Sendable {
  private var assembler = MessageAssembler()
  private var bodyLeft: Int64 = 0
  private var isInChunks = false
  private var answered = 0
  private(set) var isBroken = false
  /// Whether the body of a snapshot goes in chunks.
  var isChunked = false
  /// The requests so far, in their order.
  private(set) var kinds: [RPCType] = []

  /// Bytes so far.
  private(set) var received = 0

  mutating func append(_ bytes: some Collection<UInt8>) {
    assembler.append(ByteBuffer(bytes: bytes))
    received += bytes.count
  }

  /// Bytes that belong to no message yet.
  var pendingBytes: Int { assembler.pendingBytes }

  /// The messages that are complete, and what came of a body.
  mutating func requests() -> [CapturedMessage] {
    all { stream throws in try stream.nextRequest() }
  }

  /// - Parameter kinds: What was asked, as far as it is known.
  mutating func answers(to kinds: [RPCType]) -> [CapturedMessage] {
    all { stream throws in
      guard stream.answered < kinds.count,
        let answer = try stream.assembler.nextAnswer(to: kinds[stream.answered])
      else { return nil }
      stream.answered += 1
      return answer
    }
  }

  private mutating func all(
    _ next: (inout MessageStream) throws -> CapturedMessage?
  ) -> [CapturedMessage] {
    var messages: [CapturedMessage] = []
    guard !isBroken else { return [] }
    do {
      while true {
        let offset = received - pendingBytes
        guard var message = try next(&self) else { break }
        message.offset = offset
        messages.append(message)
      }
    } catch {
      isBroken = true
      let text = "cannot be read: \(printable("\(error)"))"
      messages.append(CapturedMessage(kind: .unreadable, offset: received - pendingBytes, text: text))
    }
    return messages
  }

  private mutating func nextRequest() throws -> CapturedMessage? {
    if isInChunks {
      let count = rawBytes(atMost: .max)
      return count == 0
        ? nil
        : CapturedMessage(kind: .chunks, fields: ["bytes": .signed(count)], text: "\(count) bytes of chunks")
    }
    if bodyLeft > 0 {
      let count = rawBytes(atMost: bodyLeft)
      bodyLeft -= count
      guard count > 0 else { return nil }
      return CapturedMessage(
        kind: .body, fields: ["bytes": .signed(count), "bytesToCome": .signed(bodyLeft)],
        text: "\(count) bytes of a body, \(bodyLeft) to come")
    }
    guard let command = try assembler.nextCommand() else { return nil }
    if case .installSnapshot(let request) = command {
      isInChunks = isChunked
      bodyLeft = isChunked ? 0 : max(0, request.size)
    }
    kinds.append(command.rpcType)
    return CapturedMessage(command)
  }

  private mutating func rawBytes(atMost limit: Int64) -> Int64 {
    var count: Int64 = 0
    while count < limit, let bytes = assembler.nextRawBytes(atMost: Int(clamping: limit - count)) {
      count += Int64(bytes.readableBytes)
    }
    return count
  }
}
