/// Cuts a direction of a connection into preface and frames.
package struct FrameReader: Sendable {
  package enum Item: Sendable, Equatable {
    case preface
    /// `checksum`: whether the trailer was right; `nil` where there is none.
    case frame(ProbeFrame, checksum: Bool?)
    /// Nothing can be read behind this.
    case nonsense(String)
  }

  package static let preface: [UInt8] = [0xAC, 0x52, 0x4D, 0x58, 0x0D, 0x0A, 0x1A, 0x0A]

  private var bytes: [UInt8] = []
  private var position = 0
  private var hasPreface: Bool
  private var isBroken = false
  /// From an accepting WELCOME on, where checksums were agreed on.
  package var isChecksummed = false

  package init(expectsPreface: Bool = true) {
    hasPreface = !expectsPreface
  }

  package mutating func append(_ more: some Sequence<UInt8>) {
    if position > 1 << 16 {
      bytes.removeFirst(position)
      position = 0
    }
    bytes += more
  }

  /// Bytes that belong to nothing yet.
  package var pendingBytes: Int { bytes.count - position }

  /// Whether a right checksum stands behind the next frame, which has to be there whole.
  package var nextFrameHasChecksum: Bool {
    guard pendingBytes >= ProbeFrame.headerLength else { return false }
    let length = bytes[(position + 4)..<(position + 8)].reduce(0) { $0 << 8 | Int($1) }
    let end = position + ProbeFrame.headerLength + length
    guard length <= 65_536, bytes.count >= end + 4 else { return false }
    var trailer = ByteReader(bytes[end..<end + 4])
    return trailer.integer() == Checksum.of(bytes[position..<end])
  }

  package mutating func next() -> Item? {
    guard !isBroken else { return nil }
    guard hasPreface else { return nextPreface() }
    var reader = ByteReader(bytes[position...].prefix(ProbeFrame.headerLength))
    guard pendingBytes >= ProbeFrame.headerLength, let type: UInt8 = reader.integer(),
      let flags: UInt8 = reader.integer(), let trafficClass: UInt8 = reader.integer(),
      let encoding: UInt8 = reader.integer(), let length: UInt32 = reader.integer(),
      let stream: UInt64 = reader.integer()
    else { return nil }
    guard length <= 65_536 else {
      isBroken = true
      return .nonsense("a frame of \(length) bytes, more than any frame may have")
    }
    let trailer = isChecksummed && !FrameKind.isOfHandshake(type) ? 4 : 0
    let end = position + ProbeFrame.headerLength + Int(length)
    guard bytes.count >= end + trailer else { return nil }
    let payload = Array(bytes[(position + ProbeFrame.headerLength)..<end])
    var checksum: Bool?
    if trailer > 0 {
      var trailerReader = ByteReader(bytes[end..<end + trailer])
      checksum = trailerReader.integer() == Checksum.of(bytes[position..<end])
    }
    position = end + trailer
    return .frame(
      ProbeFrame(
        type: type, flags: flags, trafficClass: trafficClass, encoding: encoding, stream: stream,
        payload: payload),
      checksum: checksum)
  }

  private mutating func nextPreface() -> Item? {
    let available = bytes[position...].prefix(Self.preface.count)
    guard available.elementsEqual(Self.preface.prefix(available.count)) else {
      isBroken = true
      let shown = hexadecimal(available)
      return .nonsense("bytes that are no preface: \(shown)")
    }
    guard available.count == Self.preface.count else { return nil }
    position += Self.preface.count
    hasPreface = true
    return .preface
  }
}
