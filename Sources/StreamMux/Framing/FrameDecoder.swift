package import NIOCore

/// Turns bytes, in whatever pieces they come, into frames.
///
/// Append what was received, then call ``next()`` until it returns nil. Between two calls the owner may act
/// on what it got: the frame behind a WELCOME is already read with the checksums that this one brought.
///
/// Memory: a partial header, one control payload of at most 3 KiB, and with checksums one DATA frame.
/// The bytes of DATA are slices of what was appended. How they were cut makes no difference (R-FRM-27).
/// Nothing is kept of a frame that is ignored.
package struct FrameDecoder: Sendable {
  private enum State: Sendable {
    case header
    /// A whole control payload and its checksum are due.
    case control(FrameHeader, FrameType)
    /// The group id of an opening DATA is due.
    case group(FrameHeader)
    /// Stream bytes are handed on as they come.
    case bytes(remaining: Int)
    /// Stream bytes are held until the checksum behind them was read (R-FRM-32).
    case held(DataHeader, remaining: Int)
    /// Held stream bytes whose checksum was right.
    case releasing
    case skipping(FrameHeader, remaining: Int)
    case failed(Violation)
  }

  private enum Step: Sendable {
    case event(FrameEvent)
    case proceed
    case needsInput
  }

  private let rules: FrameRules
  private var isChecksummed = false
  /// What the peer's handshake may still take, bytes; nil behind its WELCOME.
  private var handshakeAllowance: Int? = ProtocolConstants.handshakeLimit - ProtocolConstants.preface.count
  private var state = State.header
  private var input = InputQueue()
  /// Outside of the state, so that adding a piece never copies the list of them.
  private var held = HeldBytes()
  /// Of the frame being read, as far as it was taken.
  private var checksum = FrameChecksum()

  /// - Parameter maximumFramePayload: what our HELLO announced, bytes, 4,096...65,536.
  package init(maximumFramePayload: Int) {
    rules = FrameRules(maximumPayload: maximumFramePayload)
  }

  /// Adds received bytes. To be followed by ``next()`` until that returns nil, or they pile up.
  package mutating func append(_ bytes: ByteBuffer) {
    if case .failed = state { return }
    input.append(bytes)
  }

  /// The peer's accepting WELCOME was read: every further frame may or may not have a checksum.
  package mutating func endHandshake(isChecksummed: Bool) {
    guard case .header = state else { preconditionFailure("the switch is between two frames") }
    handshakeAllowance = nil
    self.isChecksummed = isChecksummed
  }

  /// Whether all that was appended is whole frames; else the end of the input would cut one off.
  package var isBetweenFrames: Bool {
    if case .header = state { input.isEmpty } else { false }
  }

  /// The next thing found, or nil until more is appended.
  ///
  /// - Throws: what the peer did wrong. From then on every call throws the same.
  package mutating func next() throws(Violation) -> FrameEvent? {
    do throws(Violation) {
      while true {
        switch try step() {
        case .event(let event): return event
        case .proceed: continue
        case .needsInput: return nil
        }
      }
    } catch {
      state = .failed(error)
      input = InputQueue()
      held = HeldBytes()
      throw error
    }
  }

  private mutating func step() throws(Violation) -> Step {
    switch state {
    case .header: try beginFrame()
    case .control(let header, let type): try finishControl(header, type)
    case .group(let header): finishOpening(header)
    case .bytes(let remaining): passBytes(remaining)
    case .held(let header, let remaining): try holdBytes(header, remaining)
    case .releasing: releaseBytes()
    case .skipping(let header, let remaining): try skip(header, remaining)
    case .failed(let violation): throw violation
    }
  }

  private mutating func beginFrame() throws(Violation) -> Step {
    guard var bytes = input.take(FrameHeader.length) else { return .needsInput }
    if isChecksummed {
      checksum = FrameChecksum()
      checksum.update(bytes)
    }
    guard let header = FrameHeader(readingFrom: &bytes) else { return .needsInput }
    try spendHandshake(header)
    switch try rules.check(header) {
    case .known(.data): return beginData(header)
    case .known(let type): state = .control(header, type)
    case .ignorable, .needsNegotiation, .unassigned:
      state = .skipping(header, remaining: Int(header.payloadLength))
    }
    return .proceed
  }

  /// Counts a frame of the handshake against the bytes that all of it may take.
  private mutating func spendHandshake(_ header: FrameHeader) throws(Violation) {
    guard let allowance = handshakeAllowance, FrameType(rawValue: header.type)?.isHandshake == true else {
      return
    }
    let length = FrameHeader.length + Int(header.payloadLength)
    guard length <= allowance else {
      let before = ProtocolConstants.handshakeLimit - allowance
      throw Violation(.handshakeTooLarge(length: before + length))
    }
    handshakeAllowance = allowance - length
  }

  private mutating func finishControl(_ header: FrameHeader, _ type: FrameType) throws(Violation) -> Step {
    let length = Int(header.payloadLength)
    let trailer = isChecksummed ? ProtocolConstants.checksumLength : 0
    guard var bytes = input.take(length + trailer), let payload = bytes.readSlice(length: length) else {
      return .needsInput
    }
    try verify(payload, trailer: bytes, of: header)
    guard let frame = try Frame(header, type: type, payload: payload) else {
      preconditionFailure("the rules let a frame pass that does not decode")
    }
    state = .header
    return .event(.frame(frame))
  }

  private mutating func beginData(_ header: FrameHeader) -> Step {
    guard !DataFlags(rawValue: header.flags).contains(.open) else {
      state = .group(header)
      return .proceed
    }
    return announce(DataHeader(header, group: nil))
  }

  private mutating func finishOpening(_ header: FrameHeader) -> Step {
    guard let bytes = input.take(ProtocolConstants.groupLength),
      let group = bytes.getInteger(at: bytes.readerIndex, as: UInt64.self)
    else { return .needsInput }
    if isChecksummed { checksum.update(bytes) }
    return announce(DataHeader(header, group: group))
  }

  private mutating func announce(_ header: DataHeader) -> Step {
    guard !isChecksummed else {
      state = .held(header, remaining: header.byteCount)
      return .proceed
    }
    state = .bytes(remaining: header.byteCount)
    return .event(.data(header))
  }

  private mutating func passBytes(_ remaining: Int) -> Step {
    guard remaining > 0 else {
      state = .header
      return .event(.payload(ByteBuffer(), isLast: true))
    }
    guard let piece = input.takeSome(upTo: remaining) else { return .needsInput }
    let rest = remaining - piece.readableBytes
    state = rest == 0 ? .header : .bytes(remaining: rest)
    return .event(.payload(piece, isLast: rest == 0))
  }

  private mutating func holdBytes(_ header: DataHeader, _ remaining: Int) throws(Violation) -> Step {
    if remaining > 0 {
      guard let piece = input.takeSome(upTo: remaining) else { return .needsInput }
      checksum.update(piece)
      held.append(piece)
      state = .held(header, remaining: remaining - piece.readableBytes)
      return .proceed
    }
    guard let trailer = input.take(ProtocolConstants.checksumLength) else { return .needsInput }
    try compare(trailer, of: FrameName(.data), stream: header.stream)
    state = .releasing
    return .event(.data(header))
  }

  private mutating func releaseBytes() -> Step {
    let piece = held.popFirst() ?? ByteBuffer()
    if held.isEmpty { state = .header }
    return .event(.payload(piece, isLast: held.isEmpty))
  }

  private mutating func skip(_ header: FrameHeader, _ remaining: Int) throws(Violation) -> Step {
    if remaining > 0 {
      guard let piece = input.takeSome(upTo: remaining) else { return .needsInput }
      if isChecksummed { checksum.update(piece) }
      state = .skipping(header, remaining: remaining - piece.readableBytes)
      return .proceed
    }
    if isChecksummed {
      guard let trailer = input.take(ProtocolConstants.checksumLength) else { return .needsInput }
      try compare(trailer, of: FrameName(header.type), stream: header.stream)
    }
    state = .header
    return .event(.ignorable(type: header.type, length: Int(header.payloadLength)))
  }

  private mutating func verify(
    _ payload: ByteBuffer, trailer: ByteBuffer, of header: FrameHeader
  ) throws(Violation) {
    guard isChecksummed else { return }
    checksum.update(payload)
    try compare(trailer, of: FrameName(header.type), stream: header.stream)
  }

  private func compare(_ trailer: ByteBuffer, of frame: FrameName, stream: UInt64) throws(Violation) {
    guard trailer.getInteger(at: trailer.readerIndex, as: UInt32.self) == checksum.value else {
      throw Violation(.checksumMismatch(frame, stream: stream))
    }
  }

  private typealias FrameName = Violation.FrameName
}

extension DataHeader {
  /// What a DATA frame's header says, once the group behind it was read.
  init(_ header: FrameHeader, group: UInt64?) {
    let flags = DataFlags(rawValue: header.flags)
    self.init(
      stream: header.stream,
      opening: group.map {
        Opening(trafficClass: header.trafficClass, encoding: header.encoding, group: $0)
      },
      isLast: flags.contains(.finish),
      hasMore: flags.contains(.more),
      byteCount: Int(header.payloadLength) - (group == nil ? 0 : ProtocolConstants.groupLength))
  }
}
