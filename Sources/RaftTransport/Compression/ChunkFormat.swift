package import NIOCore

/// How the bytes of a record are encoded (`Spec/snapshots.md`).
package enum ChunkMethod: UInt8, Sendable, CaseIterable {
  /// The bytes themselves.
  case stored = 0
  /// One complete zlib stream.
  case zlib = 1
  /// The last record: the total of the plain bytes.
  case end = 2
}

/// The fixed numbers of the chunk format.
package enum ChunkFormat {
  /// Method u8, raw length u32, encoded length u32.
  package static let headerLength = 9
  /// The most plain bytes in one chunk.
  package static let maximumRawLength = 262_144
  /// The end record carries one u64.
  package static let endPayloadLength = 8
  package static let endRecordLength = headerLength + endPayloadLength
}

/// The nine bytes in front of each record, checked by itself, without a look at its neighbours.
package struct ChunkHeader: Equatable, Sendable {
  package let method: ChunkMethod
  package let rawLength: Int
  package let encodedLength: Int

  /// - Precondition: lengths that the format allows for `method`: they are our own.
  package init(method: ChunkMethod, rawLength: Int, encodedLength: Int) {
    switch method {
    case .stored, .zlib:
      precondition((1...ChunkFormat.maximumRawLength).contains(rawLength))
      precondition(method == .stored ? encodedLength == rawLength : (1..<rawLength).contains(encodedLength))
    case .end:
      precondition(rawLength == 0 && encodedLength == ChunkFormat.endPayloadLength)
    }
    self.method = method
    self.rawLength = rawLength
    self.encodedLength = encodedLength
  }

  /// Reads and checks a peer's header.
  ///
  /// - Parameters:
  ///   - bytes: exactly the nine bytes of the header.
  ///   - offset: where the header starts, for the error.
  package init(parsing bytes: ByteBuffer, at offset: UInt64) throws(ChunkError) {
    var bytes = bytes
    guard let (methodByte, raw, encoded) = bytes.readMultipleIntegers(as: (UInt8, UInt32, UInt32).self) else {
      preconditionFailure("a chunk header has nine bytes")
    }
    guard let method = ChunkMethod(rawValue: methodByte) else {
      throw ChunkError(.unknownMethod, "unknown chunk method \(methodByte)", at: offset)
    }
    let rawOffset = offset + 1
    let encodedOffset = offset + 5
    switch method {
    case .stored, .zlib:
      guard (1...UInt32(ChunkFormat.maximumRawLength)).contains(raw) else {
        throw ChunkError(
          .invalidRawLength, "raw length \(raw) is not in 1...\(ChunkFormat.maximumRawLength)", at: rawOffset)
      }
    case .end:
      guard raw == 0, encoded == UInt32(ChunkFormat.endPayloadLength) else {
        throw ChunkError(
          .invalidEndRecord, "end record with raw length \(raw), encoded length \(encoded), not 0 and 8",
          at: raw == 0 ? encodedOffset : rawOffset)
      }
    }
    if method == .stored ? encoded != raw : method == .zlib && encoded == 0 {
      throw ChunkError(
        .invalidEncodedLength, "\(method) chunk with raw length \(raw), but encoded length \(encoded)",
        at: encodedOffset)
    }
    if method == .zlib, encoded >= raw {
      throw ChunkError(
        .notSmaller, "zlib chunk with raw length \(raw) does not shrink: encoded length \(encoded)",
        at: encodedOffset)
    }
    self.method = method
    self.rawLength = Int(raw)
    self.encodedLength = Int(encoded)
  }

  /// Writes the nine bytes at `index` of `buffer`, which has room for them there.
  package func set(in buffer: inout ByteBuffer, at index: Int) {
    buffer.setInteger(method.rawValue, at: index)
    buffer.setInteger(UInt32(rawLength), at: index + 1)
    buffer.setInteger(UInt32(encodedLength), at: index + 5)
  }

  package func write(to buffer: inout ByteBuffer) {
    buffer.writeMultipleIntegers(method.rawValue, UInt32(rawLength), UInt32(encodedLength))
  }
}
