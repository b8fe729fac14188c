package import NIOCore

/// Turns messages into the bytes that hashicorp/raft's network transport writes.
///
/// Each function appends to a buffer, in one piece and after one reservation of exactly the bytes needed. If it
/// throws, the buffer is as it was. The error is always ``WireError/Code/notEncodable``, for a log entry whose
/// time Go has no encoding for (R-PAY-16), or ``WireError/Code/messageTooLarge`` beyond 2 GiB.
package struct WireEncoder: Sendable, Hashable {
  /// The releases to write like.
  package let profile: WireProfile

  package init(profile: WireProfile = .default) {
    self.profile = profile
  }

  /// Appends a request: its type byte and its object.
  @specialized(where Request == AppendEntriesRequest)
  package func encode<Request: WireRequest>(
    request: Request,
    into buffer: inout ByteBuffer
  ) throws(WireError) {
    try append(RequestBody(request: request), to: &buffer)
  }

  /// Appends a request of any type.
  package func encode(command: WireCommand, into buffer: inout ByteBuffer) throws(WireError) {
    switch command {
    case .appendEntries(let request): try encode(request: request, into: &buffer)
    case .requestVote(let request): try encode(request: request, into: &buffer)
    case .installSnapshot(let request): try encode(request: request, into: &buffer)
    case .timeoutNow(let request): try encode(request: request, into: &buffer)
    case .requestPreVote(let request): try encode(request: request, into: &buffer)
    }
  }

  /// Appends an answer: the error text (any bytes; `nil` and empty for none) and the response, if there is one.
  @specialized(where Response == AppendEntriesResponse)
  package func encode<Response: WireResponse>(
    answer: WireAnswer<Response>,
    into buffer: inout ByteBuffer
  ) throws(WireError) {
    try append(AnswerBody(error: answer.error, response: answer.response), to: &buffer)
  }

  /// Appends an answer that has no response, as for a request that failed.
  package func encode(error: ByteBuffer?, into buffer: inout ByteBuffer) throws(WireError) {
    try append(AnswerBody<TimeoutNowResponse>(error: error, response: nil), to: &buffer)
  }

  /// Appends an object alone.
  package func encode<Object: WireObject>(object: Object, into buffer: inout ByteBuffer) throws(WireError) {
    try append(ObjectBody(object: object), to: &buffer)
  }

  /// Appends an error text alone.
  package func encode(errorText: ByteBuffer?, into buffer: inout ByteBuffer) throws(WireError) {
    try append(TextBody(text: errorText), to: &buffer)
  }

  private func append<Body: WireBody>(_ body: Body, to buffer: inout ByteBuffer) throws(WireError) {
    var measure = WireWriter(profile: profile, sink: MeasuringSink())
    try body.write(to: &measure)
    let count = measure.sink.count
    guard count <= Int(Int32.max) - buffer.writerIndex else {
      throw WireError(code: .messageTooLarge, message: "a message of \(count) bytes")
    }
    unsafe try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { memory throws(WireError) in
      var writer = WireWriter(profile: profile, sink: unsafe MemorySink(memory))
      try body.write(to: &writer)
      precondition(writer.sink.count == count, "measured and written bytes differ")
      return count
    }
  }
}

/// What one call of the encoder writes.
private protocol WireBody {
  func write<Sink: ByteSink>(to writer: inout WireWriter<Sink>) throws(WireError)
}

private struct RequestBody<Request: WireRequest>: WireBody {
  let request: Request

  func write<Sink: ByteSink>(to writer: inout WireWriter<Sink>) throws(WireError) {
    writer.byte(Request.rpcType.rawValue)
    try request.encode(into: &writer)
  }
}

private struct AnswerBody<Response: WireResponse>: WireBody {
  let error: ByteBuffer?
  let response: Response?

  func write<Sink: ByteSink>(to writer: inout WireWriter<Sink>) throws(WireError) {
    writer.bytes(error ?? ByteBuffer())
    if let response {
      try response.encode(into: &writer)
    } else {
      writer.null()
    }
  }
}

private struct ObjectBody<Object: WireObject>: WireBody {
  let object: Object

  func write<Sink: ByteSink>(to writer: inout WireWriter<Sink>) throws(WireError) {
    try object.encode(into: &writer)
  }
}

private struct TextBody: WireBody {
  let text: ByteBuffer?

  func write<Sink: ByteSink>(to writer: inout WireWriter<Sink>) throws(WireError) {
    writer.bytes(text ?? ByteBuffer())
  }
}
