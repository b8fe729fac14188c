/// What a DATA frame says in front of its stream bytes.
package struct DataHeader: Hashable, Sendable {
  package let stream: UInt64
  package let isLast: Bool
  package let hasMore: Bool
  /// Set if the frame opens the stream.
  package let opening: Opening?
  /// Stream bytes in the frame; the group id does not count.
  package let byteCount: Int

  /// The opening as it was on the wire: an unknown class or encoding ends the stream, not the connection.
  package struct Opening: Hashable, Sendable {
    package let trafficClass: UInt8
    package let encoding: UInt8
    package let group: UInt64

    package init(trafficClass: UInt8, encoding: UInt8, group: UInt64) {
      self.trafficClass = trafficClass
      self.encoding = encoding
      self.group = group
    }

    package init(_ opening: StreamOpening) {
      self.init(
        trafficClass: opening.trafficClass.rawValue, encoding: opening.encoding.rawValue, group: opening.group
      )
    }

    /// The opening in terms that this implementation knows.
    ///
    /// - Throws: the code for RESET and STOP: ``ErrorCode/unknownClass`` or ``ErrorCode/unknownEncoding``.
    package func known() throws(UnknownOpening) -> StreamOpening {
      guard let known = TrafficClass(rawValue: trafficClass) else {
        throw UnknownOpening(code: .unknownClass)
      }
      guard let encoding = StreamEncoding(rawValue: encoding), encoding.isLegal(for: known) else {
        throw UnknownOpening(code: .unknownEncoding)
      }
      return StreamOpening(trafficClass: known, encoding: encoding, group: group)
    }
  }

  package struct UnknownOpening: Error, Equatable, Sendable {
    package let code: ErrorCode
  }

  package init(
    stream: UInt64, opening: Opening? = nil, isLast: Bool = false, hasMore: Bool = false, byteCount: Int
  ) {
    self.stream = stream
    self.isLast = isLast
    self.hasMore = hasMore
    self.opening = opening
    self.byteCount = byteCount
  }

  /// The header that says this on the wire.
  var frameHeader: FrameHeader {
    var flags: DataFlags = []
    if opening != nil { flags.insert(.open) }
    if isLast { flags.insert(.finish) }
    if hasMore { flags.insert(.more) }
    return FrameHeader(
      .data, flags: flags, trafficClass: opening?.trafficClass ?? 0, encoding: opening?.encoding ?? 0,
      payloadLength: byteCount + (opening == nil ? 0 : ProtocolConstants.groupLength), stream: stream)
  }
}
