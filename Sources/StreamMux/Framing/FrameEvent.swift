package import NIOCore

/// What the decoder finds.
package enum FrameEvent: Equatable, Sendable {
  /// A whole frame other than DATA.
  case frame(Frame)
  /// The front of a DATA frame. As many ``payload(_:isLast:)`` follow as its stream bytes came in, at least
  /// one.
  case data(DataHeader)
  /// Stream bytes of the DATA frame in front: slices of what was received. Empty only if the frame has none,
  /// and then it is the last.
  case payload(ByteBuffer, isLast: Bool)
  /// A frame to ignore; its payload is skipped and never seen.
  case ignorable(type: UInt8, length: Int)
}
