/// What a header must obey by itself, whatever the connection's state.
struct FrameRules: Equatable, Sendable {
  /// The largest payload that our HELLO announced, bytes.
  let maximumPayload: Int

  /// Judges a header before a byte of its payload is kept (R-FRM-7).
  ///
  /// - Returns: what its type byte means: a known type, or one to ignore.
  func check(_ header: FrameHeader) throws(Violation) -> FrameType.Meaning {
    let meaning = FrameType.meaning(of: header.type)
    switch meaning {
    case .unassigned: throw Violation(.unassignedFrameType(header.type))
    case .needsNegotiation: throw Violation(.frameNotNegotiated(header.type))
    case .ignorable: try checkIgnorable(header)
    case .known(let type):
      try checkPlace(header, type)
      try checkLength(header, type)
    }
    return meaning
  }

  /// R-FRM-10, R-FRM-11
  private func checkIgnorable(_ header: FrameHeader) throws(Violation) {
    guard header.payloadLength <= ProtocolConstants.ignorableLimit else {
      throw Violation(.ignorableTooLarge(header.type, length: Int(header.payloadLength)))
    }
  }

  /// Stream, flags, class and encoding: R-FRM-13, R-FRM-14, R-FRM-18 to R-FRM-21.
  private func checkPlace(_ header: FrameHeader, _ type: FrameType) throws(Violation) {
    if type.isOnStream {
      guard header.stream != 0 else { throw Violation(.streamFrameOnConnection(type)) }
    } else {
      guard header.stream == 0 else { throw Violation(.connectionFrameOnStream(type, header.stream)) }
    }
    let unknownFlags = header.flags & ~(type == .data ? DataFlags.known.rawValue : 0)
    guard unknownFlags == 0 else { throw Violation(.unknownFlags(type, unknownFlags)) }
    let opens = type == .data && DataFlags(rawValue: header.flags).contains(.open)
    if type == .streams {
      guard TrafficClass(rawValue: header.trafficClass) != nil else {
        throw Violation(.streamsWithoutClass(header.trafficClass))
      }
    } else if !opens, header.trafficClass != 0 {
      throw Violation(.classOutOfPlace(type, header.trafficClass))
    }
    guard opens || header.encoding == 0 else {
      throw Violation(.encodingOutOfPlace(type, header.encoding))
    }
  }

  /// R-FRM-6, R-FRM-15, R-FRM-16, R-FRM-25, R-HSK-43
  private func checkLength(_ header: FrameHeader, _ type: FrameType) throws(Violation) {
    let length = Int(header.payloadLength)
    guard length <= maximumPayload else {
      throw Violation(.frameTooLarge(.init(type), length: length, limit: maximumPayload))
    }
    guard type.payloadLengths.contains(length) else {
      throw Violation(.wrongPayloadLength(type, length: length, legal: type.payloadLengths))
    }
    let opens = type == .data && DataFlags(rawValue: header.flags).contains(.open)
    guard !opens || length >= ProtocolConstants.groupLength else {
      throw Violation(.openingWithoutGroup(stream: header.stream, length: length))
    }
  }
}
