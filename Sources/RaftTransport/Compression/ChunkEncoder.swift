package import NIOCore

/// A record as it goes on the wire: buffers to send in order, whose boundaries mean nothing.
package struct EncodedChunk: Equatable, Sendable {
  package let method: ChunkMethod
  package let rawLength: Int
  /// Without the header.
  package let encodedLength: Int
  package let buffers: [ByteBuffer]

  /// The chunk as it is; its bytes are not copied.
  package static func stored(_ chunk: RawChunk) -> EncodedChunk {
    var header = ByteBufferAllocator().buffer(capacity: ChunkFormat.headerLength)
    ChunkHeader(method: .stored, rawLength: chunk.count, encodedLength: chunk.count).write(to: &header)
    return EncodedChunk(
      method: .stored, rawLength: chunk.count, encodedLength: chunk.count, buffers: [header] + chunk.pieces)
  }

  /// The end record (R-SNAP-10).
  package static func end(total: UInt64) -> EncodedChunk {
    var record = ByteBufferAllocator().buffer(capacity: ChunkFormat.endRecordLength)
    ChunkHeader(method: .end, rawLength: 0, encodedLength: ChunkFormat.endPayloadLength).write(to: &record)
    record.writeInteger(total)
    return EncodedChunk(
      method: .end, rawLength: 0, encodedLength: ChunkFormat.endPayloadLength, buffers: [record])
  }
}

/// Compresses chunks on the caller's thread, one at a time.
package struct ChunkEncoder: ~Copyable {
  private var deflater: Deflater

  /// - Parameter level: 1 (fast) ... 9 (small).
  package init(level: Int) throws(ZlibError) {
    deflater = try Deflater(level: level)
  }

  /// The chunk as a zlib record, or, if it would not shrink, as a stored one (R-SNAP-5).
  package mutating func encode(_ chunk: RawChunk) -> EncodedChunk {
    var record = ByteBufferAllocator().buffer(capacity: ChunkFormat.headerLength + chunk.count)
    record.moveWriterIndex(forwardBy: ChunkFormat.headerLength)
    guard deflater.deflate(chunk.pieces, into: &record, limit: chunk.count - 1) else {
      return .stored(chunk)
    }
    let encodedLength = record.readableBytes - ChunkFormat.headerLength
    ChunkHeader(method: .zlib, rawLength: chunk.count, encodedLength: encodedLength)
      .set(in: &record, at: record.readerIndex)
    return EncodedChunk(
      method: .zlib, rawLength: chunk.count, encodedLength: encodedLength, buffers: [record])
  }
}
