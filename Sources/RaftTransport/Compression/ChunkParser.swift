package import NIOCore

/// Cuts a peer's bytes into chunk records, from pieces of any size, and checks everything about them but the
/// contents of zlib chunks.
///
/// It holds at most one incomplete header or one incomplete zlib chunk; stored bytes go through it as slices
/// of the input, as they arrive (R-SNAP-2 to R-SNAP-6, R-SNAP-10, R-SNAP-11, R-SNAP-13).
package struct ChunkParser: Sendable {
  package enum Record: Equatable, Sendable {
    /// The next bytes of a stored chunk; never empty, not always the whole chunk.
    case stored(ByteBuffer)
    case compressed(CompressedChunk)
    /// The end record; the sizes agree.
    case end
  }

  /// A complete zlib chunk whose contents nobody has looked at.
  package struct CompressedChunk: Equatable, Sendable {
    package let rawLength: Int
    package let encoded: ByteBuffer
    /// Where `encoded` starts in the sequence of chunks.
    package let offset: UInt64
  }

  private enum State {
    case header
    case stored(remaining: Int)
    case compressed(ChunkHeader)
    case total
    case ended
    case failed(ChunkError)
  }

  private let size: UInt64
  private var state: State = .header
  /// The start of something that straddles pieces.
  private var held = ByteBuffer()
  private var rawTotal: UInt64 = 0
  private var offset: UInt64 = 0

  /// - Parameter size: the plain bytes that the request announced.
  package init(size: UInt64) {
    self.size = size
  }

  package var hasEnded: Bool {
    if case .ended = state { true } else { false }
  }

  /// Takes from `input` what belongs to the next record.
  ///
  /// - Returns: the next record, or nil when all of `input` was taken and more is needed.
  /// - Throws: the first fault; the same again for every later call.
  package mutating func next(from input: inout ByteBuffer) throws(ChunkError) -> Record? {
    do {
      while true {
        if let record = try step(&input) { return record }
        guard input.readableBytes > 0 else { return nil }
      }
    } catch {
      state = .failed(error)
      held = ByteBuffer()
      throw error
    }
  }

  /// The sender finished its half of the stream: that is right behind the end record, and nowhere else.
  package mutating func finish() throws(ChunkError) {
    switch state {
    case .ended: return
    case .failed(let error): throw error
    case .header, .stored, .compressed, .total:
      let error = ChunkError(.truncated, "the stream finished before the end record", at: offset)
      state = .failed(error)
      held = ByteBuffer()
      throw error
    }
  }

  /// One step; nil when a header was passed or the input is used up.
  private mutating func step(_ input: inout ByteBuffer) throws(ChunkError) -> Record? {
    switch state {
    case .header:
      let start = offset - UInt64(held.readableBytes)
      guard let bytes = take(ChunkFormat.headerLength, from: &input) else { return nil }
      try enter(ChunkHeader(parsing: bytes, at: start), at: start)
      return nil
    case .stored(let remaining):
      guard let bytes = input.readSlice(length: min(remaining, input.readableBytes)), bytes.readableBytes > 0
      else { return nil }
      offset += UInt64(bytes.readableBytes)
      let rest = remaining - bytes.readableBytes
      state = rest == 0 ? .header : .stored(remaining: rest)
      return .stored(bytes)
    case .compressed(let header):
      let start = offset - UInt64(held.readableBytes)
      guard let encoded = take(header.encodedLength, from: &input) else { return nil }
      state = .header
      return .compressed(CompressedChunk(rawLength: header.rawLength, encoded: encoded, offset: start))
    case .total:
      let start = offset - UInt64(held.readableBytes)
      guard let bytes = take(ChunkFormat.endPayloadLength, from: &input) else { return nil }
      try checkTotal(bytes, at: start)
      state = .ended
      return .end
    case .ended:
      guard input.readableBytes > 0 else { return nil }
      throw ChunkError(.dataAfterEnd, "bytes behind the end record", at: offset)
    case .failed(let error):
      throw error
    }
  }

  private mutating func enter(_ header: ChunkHeader, at start: UInt64) throws(ChunkError) {
    switch header.method {
    case .stored, .zlib:
      guard UInt64(header.rawLength) <= size - rawTotal else {
        throw ChunkError(
          .sizeExceeded,
          "\(rawTotal) plain bytes and a chunk of \(header.rawLength) exceed the snapshot's size of \(size)",
          at: start + 1)
      }
      rawTotal += UInt64(header.rawLength)
      state = header.method == .stored ? .stored(remaining: header.rawLength) : .compressed(header)
    case .end:
      state = .total
    }
  }

  private func checkTotal(_ bytes: ByteBuffer, at start: UInt64) throws(ChunkError) {
    let total = bytes.getInteger(at: bytes.readerIndex, as: UInt64.self) ?? 0
    guard total == rawTotal else {
      throw ChunkError(
        .totalMismatch, "the end record says \(total) bytes, the chunks hold \(rawTotal)", at: start)
    }
    guard total == size else {
      throw ChunkError(
        .sizeNotReached, "the chunks end after \(total) of the snapshot's \(size) bytes", at: start)
    }
  }

  /// The next `count` bytes as a slice of the input where they lie in one piece, else assembled; nil, with
  /// all input taken, when they are not there yet.
  private mutating func take(_ count: Int, from input: inout ByteBuffer) -> ByteBuffer? {
    if held.readableBytes == 0, let slice = input.readSlice(length: count) {
      offset += UInt64(count)
      return slice
    }
    let missing = count - held.readableBytes
    guard var part = input.readSlice(length: min(missing, input.readableBytes)) else { return nil }
    offset += UInt64(part.readableBytes)
    if held.readableBytes == 0 {
      held = ByteBufferAllocator().buffer(capacity: count)
    }
    held.writeBuffer(&part)
    guard held.readableBytes == count else { return nil }
    defer { held = ByteBuffer() }
    return held
  }
}
