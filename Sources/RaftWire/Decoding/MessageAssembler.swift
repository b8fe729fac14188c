package import NIOCore

/// Gives the messages of one direction of a stream, whose bytes come in any pieces.
///
/// Append what arrives, then take messages until there is none. A message that lies within one piece is decoded
/// where it is, without a copy. Any other is collected, scanned once as it comes, and copied together once it is
/// complete, so that memory grows with what arrived and never with what was declared.
///
/// After an error the stream is beyond repair: every later call throws the same error.
package struct MessageAssembler: Sendable {
  private let limits: MessageLimits
  /// What arrived and was not looked at yet, the first of it being read.
  private var current = ByteBuffer()
  private var waiting = PieceQueue()
  /// The beginning of a message that did not lie within one piece.
  private var partial: PartialMessage?
  private var failure: WireError?

  package init(limits: MessageLimits = .defaults) {
    self.limits = limits
  }

  /// Takes in what arrived.
  package mutating func append(_ bytes: ByteBuffer) {
    guard bytes.readableBytes > 0 else { return }
    if current.readableBytes == 0 && waiting.isEmpty {
      current = bytes
    } else {
      waiting.append(bytes)
    }
  }

  /// The bytes that were appended and not given back as messages or raw bytes. When there is no further message,
  /// these are the bytes of the incomplete one; 0 then means that the stream may end here.
  package var pendingBytes: Int {
    (partial?.count ?? 0) + current.readableBytes + waiting.count
  }

  /// The next request, or `nil` until more has arrived.
  package mutating func nextCommand() throws(WireError) -> WireCommand? {
    try next(.object, leadingBytes: 1) { reader throws(WireError) in try reader.readCommand() }
  }

  /// The next answer, or `nil` until more has arrived.
  @specialized(where Response == AppendEntriesResponse)
  package mutating func nextAnswer<Response: WireResponse>(
    _: Response.Type
  ) throws(WireError) -> WireAnswer<Response>? {
    try next(.answer, leadingBytes: 0) { reader throws(WireError) in try reader.readAnswer(Response.self) }
  }

  /// Raw bytes between messages, such as a snapshot's behind its request: a slice of at most so many of them, or
  /// `nil` until more has arrived. To be called only where a message could begin.
  package mutating func nextRawBytes(atMost limit: Int) -> ByteBuffer? {
    precondition(partial == nil, "raw bytes asked for inside a message")
    guard limit > 0, advance() else { return nil }
    let slice = current.readSlice(length: min(limit, current.readableBytes))
    letGoIfRead()
    return slice
  }

  // MARK: Messages

  private mutating func next<Message>(
    _ shape: MessageScanner.Shape,
    leadingBytes: Int,
    _ read: (inout WireReader) throws(WireError) -> Message
  ) throws(WireError) -> Message? {
    if let failure { throw failure }
    do throws(WireError) {
      if partial == nil {
        guard advance() else { return nil }
        if let message = try readInPlace(read) { return message }
        partial = PartialMessage(shape: shape, leadingBytes: leadingBytes, limits: limits)
      }
      guard let whole = try collect() else { return nil }
      return try WireReader.read(whole, limits: limits, read)
    } catch {
      failure = error
      throw error
    }
  }

  /// Reads a message that lies within the current piece; `nil` if it goes on behind it.
  private mutating func readInPlace<Message>(
    _ read: (inout WireReader) throws(WireError) -> Message
  ) throws(WireError) -> Message? {
    do throws(WireError) {
      let (message, count) = try WireReader.read(current, limits: limits) {
        reader throws(WireError) -> (Message, Int) in
        let message = try read(&reader)
        return (message, reader.position)
      }
      current.moveReaderIndex(forwardBy: count)
      letGoIfRead()
      return message
    } catch {
      guard error.code == .truncated else { throw error }
      return nil
    }
  }

  /// Moves pieces into the partial message until it is whole.
  private mutating func collect() throws(WireError) -> ByteBuffer? {
    while advance() {
      let isWhole = try partial?.take(from: &current) ?? false
      letGoIfRead()
      if isWhole {
        defer { partial = nil }
        return partial?.assemble()
      }
    }
    return nil
  }

  /// Makes the current piece one with bytes in it, if there is any.
  private mutating func advance() -> Bool {
    if current.readableBytes > 0 { return true }
    guard let piece = waiting.popFirst() else { return false }
    current = piece
    return true
  }

  /// Does not keep storage alive that has nothing unread in it.
  private mutating func letGoIfRead() {
    if current.readableBytes == 0 { current = ByteBuffer() }
  }
}
