import NIOCore

/// A checksum that reads every byte and costs the same everywhere: two running sums over the little-endian 64-bit
/// words, so that order counts, too. It shows that a system under measurement delivered what it was given and keeps
/// none from skipping the payload; it is no protection against malice.
struct WordSum: Sendable, Equatable {
  private var sum: UInt64 = 0
  private var sumOfSums: UInt64 = 0
  /// Bytes of a word that has not come to its end, the first one lowest.
  private var partial: UInt64 = 0
  private var partialBits: UInt64 = 0

  mutating func update(_ bytes: ByteBuffer) {
    // The pointer is used within the closure only, at offsets within its count.
    unsafe bytes.withUnsafeReadableBytes { raw in unsafe self.update(raw) }
  }

  mutating func update(_ raw: UnsafeRawBufferPointer) {
    var offset = 0
    while self.partialBits != 0, offset < raw.count {
      self.add(byte: unsafe raw[offset])
      offset += 1
    }
    var (sum, sumOfSums) = (self.sum, self.sumOfSums)
    while offset + 8 <= raw.count {
      sum &+= UInt64(littleEndian: unsafe raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      sumOfSums &+= sum
      offset += 8
    }
    (self.sum, self.sumOfSums) = (sum, sumOfSums)
    while offset < raw.count {
      self.add(byte: unsafe raw[offset])
      offset += 1
    }
  }

  /// The checksum of what has come; a last word that is incomplete counts as if zeros followed it.
  var value: UInt64 {
    var whole = self
    if whole.partialBits != 0 { whole.endWord() }
    return whole.sum ^ (whole.sumOfSums << 32 | whole.sumOfSums >> 32)
  }

  private mutating func add(byte: UInt8) {
    self.partial |= UInt64(byte) << self.partialBits
    self.partialBits += 8
    if self.partialBits == 64 { self.endWord() }
  }

  private mutating func endWord() {
    self.sum &+= self.partial
    self.sumOfSums &+= self.sum
    self.partial = 0
    self.partialBits = 0
  }
}
