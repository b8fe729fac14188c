import DequeModule
import NIOCore

/// Buffers of one size that are used again once nobody else holds their bytes.
///
/// A large buffer that is taken from the system and given back for every piece of a snapshot costs more, in pages that
/// the system has to clear, than the piece itself.
struct RecycledBuffers {
  private let capacity: Int
  private let limit: Int
  /// The one that was given out last at the end.
  private var kept: Deque<ByteBuffer> = []

  /// - Parameters:
  ///   - capacity: The size of each buffer, in bytes.
  ///   - limit: How many buffers are kept; beyond it new ones are made and forgotten.
  init(capacity: Int, limit: Int) {
    self.capacity = capacity
    self.limit = limit
  }

  /// An empty buffer that nobody else holds.
  mutating func take() -> ByteBuffer {
    for index in kept.indices where kept[index].modifyIfUniquelyOwned({ $0.clear() }) != nil {
      return kept.remove(at: index)
    }
    return ByteBufferAllocator().buffer(capacity: capacity)
  }

  /// Remembers a buffer that was taken and filled, to be used again when whoever gets it has let go of it.
  mutating func keep(_ buffer: ByteBuffer) {
    if kept.count < limit { kept.append(buffer) }
  }
}
