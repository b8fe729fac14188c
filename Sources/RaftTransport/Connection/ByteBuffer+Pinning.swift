import NIOCore

extension ByteBuffer {
  /// The same bytes, in storage of at most four times their size.
  ///
  /// A slice keeps the whole buffer alive that it was read into, so that a peer could make many small slices hold
  /// far more memory than its windows allow (R-LIM-13). Small slices of large buffers are copied; all others,
  /// which are most of the bytes, stay where they are.
  func withoutPinning() -> ByteBuffer {
    guard storageCapacity / 4 > readableBytes else { return self }
    var copy = ByteBufferAllocator().buffer(capacity: readableBytes)
    copy.writeImmutableBuffer(self)
    return copy
  }
}
