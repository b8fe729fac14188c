import ConformanceSuite

/// Cuts bytes into frames and keeps the bytes of each, so that they can be handed on as they came.
struct FrameCutter {
  enum Item {
    case preface([UInt8])
    case frame(ProbeFrame, [UInt8])
    /// What is no frame that can be cut; everything behind it is the same.
    case raw([UInt8])
  }

  private var bytes: [UInt8] = []
  private var hasPreface = false
  private var isRaw = false
  /// Bytes of an oversized frame that are still to be swallowed.
  private var swallowing = 0
  /// Bytes of the frame at the front that were handed on already.
  private var forwarded = 0
  var isChecksummed = false
  var swallowsOversized = false

  mutating func append(_ more: [UInt8]) {
    bytes += more
    let swallowed = min(swallowing, bytes.count)
    bytes.removeFirst(swallowed)
    swallowing -= swallowed
  }

  /// Whether the front of the next item may go on before the rest has come: only inside what is no frame yet.
  var hasForwardablePart: Bool { !hasPreface && !bytes.isEmpty && bytes.count < 8 && !isRaw }

  /// Takes what is left, to be handed on as it is.
  mutating func takePart() -> [UInt8] {
    defer { forwarded = bytes.count }
    return Array(bytes.dropFirst(forwarded))
  }

  mutating func next() -> Item? {
    guard !bytes.isEmpty else { return nil }
    if isRaw { return .raw(takeAll()) }
    guard hasPreface else { return nextPreface() }
    guard bytes.count >= ProbeFrame.headerLength else { return nil }
    let length = bytes[4..<8].reduce(0) { $0 << 8 | Int($1) }
    let limit = bytes[0] == FrameKind.hello ? 3_072 : 65_536
    if length > limit {
      if swallowsOversized {
        swallowing = ProbeFrame.headerLength + length
        append([])
        return next()
      }
      isRaw = true
      return .raw(takeAll())
    }
    let trailer = isChecksummed && !FrameKind.isOfHandshake(bytes[0]) ? 4 : 0
    let end = ProbeFrame.headerLength + length + trailer
    guard bytes.count >= end else { return nil }
    let whole = Array(bytes.prefix(end))
    bytes.removeFirst(end)
    let frame = ProbeFrame(
      type: whole[0], flags: whole[1], trafficClass: whole[2], encoding: whole[3],
      stream: whole[8..<16].reduce(0) { $0 << 8 | UInt64($1) },
      payload: Array(whole[ProbeFrame.headerLength..<end - trailer]))
    return .frame(frame, whole)
  }

  private mutating func nextPreface() -> Item? {
    let front = bytes.prefix(FrameReader.preface.count)
    guard front.elementsEqual(FrameReader.preface.prefix(front.count)) else {
      isRaw = true
      let rest = Array(bytes.dropFirst(forwarded))
      bytes = []
      return .raw(rest)
    }
    guard front.count == FrameReader.preface.count else { return nil }
    let rest = Array(front.dropFirst(forwarded))
    forwarded = 0
    bytes.removeFirst(front.count)
    hasPreface = true
    return .preface(rest)
  }

  private mutating func takeAll() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }
}
