/// Where frames begin in bytes that were captured from the middle of a connection on.
///
/// A place counts as the beginning of a frame if from there on frame follows frame up to the end of the bytes, each with
/// fields as its type may have them, and with the right checksum where frames have one.
struct FrameBoundary: Equatable, Sendable {
  /// Bytes in front of the first whole frame.
  let offset: Int
  let isChecksummed: Bool
  /// The first whole frame is HELLO, which stands behind the preface and nothing else.
  let isOfHello: Bool

  /// A frame, its checksum and one byte: further in, a beginning has to have come.
  private static let farthest = ProbeFrame.headerLength + 65_536 + 4

  /// What follows for so long is no accident, and a fault far behind it is that of a frame.
  private static let enough = 1 << 20

  /// - Returns: `nil` if no place will do.
  static func find(in all: [UInt8]) -> FrameBoundary? {
    let bytes = all.prefix(enough)
    for offset in 0...min(farthest, bytes.count) {
      // Right checksums are no accident; where there are none to be seen, there are none.
      for isChecksummed in [true, false] {
        guard let rightOnes = chain(bytes[offset...], isChecksummed: isChecksummed) else { continue }
        guard rightOnes > 0 || !isChecksummed else { continue }
        return FrameBoundary(
          offset: offset, isChecksummed: isChecksummed, isOfHello: bytes[offset...].first == FrameKind.hello)
      }
    }
    return nil
  }

  /// What is to be said of the bytes in front.
  func entry(_ direction: CaptureFormat.Direction) -> CaptureEntry {
    if isOfHello {
      return CaptureEntry(
        direction, offset: 0, frame: "none",
        text: "\(offset) bytes in front of HELLO that are not the preface",
        isFault: true)
    }
    return CaptureEntry(
      direction, offset: 0, frame: "none",
      text: "the capture begins inside a connection: \(offset) bytes in front of the first whole frame, "
        + "checksums: \(isChecksummed ? "yes" : "no")")
  }

  /// Goes from frame to frame up to the end of the bytes.
  ///
  /// - Returns: How many checksums were right; `nil` unless the bytes are at least two whole frames and maybe the start of
  ///   another, or a single one and nothing else.
  private static func chain(_ bytes: ArraySlice<UInt8>, isChecksummed: Bool) -> Int? {
    var (rest, count, rightOnes) = (bytes, 0, 0)
    while rest.count >= ProbeFrame.headerLength {
      guard let (length, hasTrailer) = plausibleHeader(rest) else { return nil }
      let trailer = isChecksummed && hasTrailer ? 4 : 0
      let whole = ProbeFrame.headerLength + length
      guard rest.count >= whole + trailer else { break }
      if trailer > 0 {
        var reader = ByteReader(rest.dropFirst(whole))
        guard reader.integer() == Checksum.of(rest.prefix(whole)) else { return nil }
        rightOnes += 1
      }
      rest = rest.dropFirst(whole + trailer)
      count += 1
    }
    return count >= 2 || (count == 1 && rest.isEmpty) ? rightOnes : nil
  }

  /// The length that a header declares, and whether a checksum may follow; `nil` if no frame begins like that.
  private static func plausibleHeader(_ bytes: ArraySlice<UInt8>) -> (length: Int, hasTrailer: Bool)? {
    var reader = ByteReader(bytes.prefix(ProbeFrame.headerLength))
    guard let type: UInt8 = reader.integer(), let flags: UInt8 = reader.integer(),
      let trafficClass: UInt8 = reader.integer(), let encoding: UInt8 = reader.integer(),
      let declared: UInt32 = reader.integer(), let stream: UInt64 = reader.integer()
    else { return nil }
    let length = Int(declared)
    if FrameKind.isIgnorable(type) { return length <= 4_096 ? (length, true) : nil }
    let isOpening = type == FrameKind.data && flags & DataFlag.open != 0
    guard flags == 0 || (type == FrameKind.data && flags <= 7) else { return nil }
    guard trafficClass == 0 || isOpening || type == FrameKind.streams else { return nil }
    guard encoding == 0 || isOpening else { return nil }
    let lengths: ClosedRange<Int>
    var isOnStream = false
    switch type {
    case FrameKind.hello: lengths = 60...3_072
    case FrameKind.authentication: lengths = 1...257
    case FrameKind.welcome: lengths = 8...536
    case FrameKind.data: (lengths, isOnStream) = ((isOpening ? 8 : 0)...65_536, true)
    case FrameKind.credit: (lengths, isOnStream) = (8...8, true)
    case FrameKind.reset, FrameKind.stop: (lengths, isOnStream) = (4...4, true)
    case FrameKind.streams, FrameKind.ping, FrameKind.pong: lengths = 8...8
    case FrameKind.goAway: lengths = 14...526
    default: return nil
    }
    guard lengths.contains(length), (stream != 0) == isOnStream else { return nil }
    return (length, !FrameKind.isOfHandshake(type))
  }
}
