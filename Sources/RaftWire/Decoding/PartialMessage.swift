internal import NIOCore

/// A message whose end has not arrived: its pieces, and a scanner that stands behind them.
///
/// Large pieces are kept as they are. Small ones are copied together at once: each slice holds on to the whole
/// buffer that it was cut from, so many tiny ones would hold far more memory than they have bytes.
struct PartialMessage: Sendable {
  /// Pieces of at least this size are kept.
  private static let keptPieceSize = 4_096

  private var scanner: MessageScanner
  /// Bytes in front of the first value that the scanner has to step over.
  private var leadingBytes: Int
  private var pieces: [ByteBuffer] = []
  /// Whether the last piece was made here out of small ones and can take more.
  private var lastIsOurs = false
  private(set) var count = 0

  init(shape: MessageScanner.Shape, leadingBytes: Int, limits: MessageLimits) {
    scanner = MessageScanner(shape: shape, limits: limits, offset: leadingBytes)
    self.leadingBytes = leadingBytes
  }

  /// Takes what belongs to the message. Answers whether the message is whole.
  mutating func take(from buffer: inout ByteBuffer) throws(WireError) -> Bool {
    let skipped = min(leadingBytes, buffer.readableBytes)
    leadingBytes -= skipped
    var scanned = buffer
    scanned.moveReaderIndex(forwardBy: skipped)
    let end = try scanner.scan(scanned)
    let length = end.map { $0 + skipped } ?? buffer.readableBytes
    if let piece = buffer.readSlice(length: length) { keep(piece) }
    return end != nil
  }

  private mutating func keep(_ piece: ByteBuffer) {
    count += piece.readableBytes
    if piece.readableBytes >= Self.keptPieceSize {
      pieces.append(piece)
      lastIsOurs = false
    } else if lastIsOurs, !pieces.isEmpty {
      pieces[pieces.count - 1].writeImmutableBuffer(piece)
    } else {
      pieces.append(ByteBuffer(bytes: piece.readableBytesView))
      lastIsOurs = true
    }
  }

  /// The whole message in one buffer.
  func assemble() -> ByteBuffer {
    if pieces.count == 1 { return pieces[0] }
    var whole = ByteBufferAllocator().buffer(capacity: count)
    for piece in pieces { whole.writeImmutableBuffer(piece) }
    return whole
  }
}
