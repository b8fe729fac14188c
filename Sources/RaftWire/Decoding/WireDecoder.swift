package import NIOCore

/// Reads messages out of contiguous bytes, following the newer Go decoder (1.6 and later) whatever the profile.
///
/// Each function reads one message at the buffer's reader index and moves the index behind it. If it throws, the
/// index stays. Bytes that end inside the message throw ``WireError/Code/truncated``. Byte fields are slices of the
/// buffer, which they keep alive.
package struct WireDecoder: Sendable, Hashable {
  /// What a message may cost.
  package let limits: MessageLimits

  package init(limits: MessageLimits = .defaults) {
    self.limits = limits
  }

  /// Reads a request: its type byte and its object.
  package func decodeCommand(from buffer: inout ByteBuffer) throws(WireError) -> WireCommand {
    try decode(from: &buffer) { reader throws(WireError) in try reader.readCommand() }
  }

  /// Reads an answer: an error text and a response or nil.
  package func decodeAnswer<Response: WireResponse>(
    _: Response.Type,
    from buffer: inout ByteBuffer
  ) throws(WireError) -> WireAnswer<Response> {
    try decode(from: &buffer) { reader throws(WireError) in try reader.readAnswer(Response.self) }
  }

  /// Reads an object alone; nil is the object without any field.
  package func decodeObject<Object: WireObject>(
    _: Object.Type,
    from buffer: inout ByteBuffer
  ) throws(WireError) -> Object {
    try decode(from: &buffer) { reader throws(WireError) in
      var object = Object.blank
      try reader.read(into: &object)
      return object
    }
  }

  /// Reads an error text alone; `nil` for no error.
  package func decodeErrorText(from buffer: inout ByteBuffer) throws(WireError) -> ByteBuffer? {
    try decode(from: &buffer) { reader throws(WireError) in try reader.readText() }
  }

  private func decode<Result>(
    from buffer: inout ByteBuffer,
    _ body: (inout WireReader) throws(WireError) -> Result
  ) throws(WireError) -> Result {
    let (result, count) = try WireReader.read(buffer, limits: limits) {
      reader throws(WireError) -> (Result, Int) in
      let result = try body(&reader)
      return (result, reader.position)
    }
    buffer.moveReaderIndex(forwardBy: count)
    return result
  }
}

extension WireReader {
  mutating func readCommand() throws(WireError) -> WireCommand {
    let byte = try readByte()
    guard let type = RPCType(rawValue: byte) else {
      throw WireError(code: .unknownRPCType, message: "unknown RPC type \(byte)")
    }
    switch type {
    case .appendEntries: return .appendEntries(try readObject())
    case .requestVote: return .requestVote(try readObject())
    case .installSnapshot: return .installSnapshot(try readObject())
    case .timeoutNow: return .timeoutNow(try readObject())
    case .requestPreVote: return .requestPreVote(try readObject())
    }
  }

  mutating func readAnswer<Response: WireResponse>(
    _: Response.Type
  ) throws(WireError) -> WireAnswer<Response> {
    let error = try readText()
    if try takeNil() { return WireAnswer(error: error) }
    return WireAnswer(error: error, response: try readObject())
  }

  private mutating func readObject<Object: WireObject>() throws(WireError) -> Object {
    var object = Object.blank
    try read(into: &object)
    return object
  }
}
