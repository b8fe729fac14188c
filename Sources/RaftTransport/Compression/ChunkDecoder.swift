package import NIOCore

extension ChunkParser.CompressedChunk {
  /// The chunk's plain bytes, or what is wrong with it.
  ///
  /// - Throws: ``ChunkError`` for the data's faults, ``ZlibError`` for zlib's own.
  package func decompressed(with inflater: inout Inflater) throws -> ByteBuffer {
    do throws(InflateFailure) {
      return try inflater.inflate(encoded, rawLength: rawLength)
    } catch {
      throw describe(error)
    }
  }

  private func describe(_ failure: InflateFailure) -> any Error {
    switch failure {
    case .corrupt(let reason):
      ChunkError(.corruptData, "zlib: \(reason)", at: offset)
    case .presetDictionary:
      ChunkError(.presetDictionary, "the zlib stream wants a preset dictionary", at: offset)
    case .incomplete:
      ChunkError(.incompleteData, "the zlib stream is not complete in its chunk", at: offset)
    case .trailingInput(let count):
      ChunkError(
        .trailingInput, "\(count) bytes behind the zlib stream, inside its chunk",
        at: offset + UInt64(encoded.readableBytes - count))
    case .outputTooShort(let produced):
      ChunkError(.outputTooShort, "the zlib stream holds \(produced) bytes, not \(rawLength)", at: offset)
    case .outputTooLong:
      ChunkError(.outputTooLong, "the zlib stream holds more than \(rawLength) bytes", at: offset)
    case .unavailable(let error):
      error
    }
  }
}

/// Turns a peer's chunks back into plain bytes, on the caller's thread.
///
/// ``SnapshotDecompressor`` does the same off the event loop.
package struct ChunkDecoder: ~Copyable {
  private var parser: ChunkParser
  private var inflater: Inflater

  /// - Parameter size: the plain bytes that the request announced.
  package init(size: UInt64) throws(ZlibError) {
    parser = ChunkParser(size: size)
    inflater = try Inflater()
  }

  /// Whether the end record was read: every byte was given out.
  package var hasEnded: Bool { parser.hasEnded }

  /// Takes from `input` what belongs to the next plain bytes.
  ///
  /// - Returns: plain bytes, never empty; nil when all of `input` was taken: more is needed, or, if
  ///   ``hasEnded``, there is nothing more to come.
  package mutating func next(from input: inout ByteBuffer) throws -> ByteBuffer? {
    while true {
      switch try parser.next(from: &input) {
      case .stored(let bytes): return bytes
      case .compressed(let chunk): return try chunk.decompressed(with: &inflater)
      // Once more, to see that nothing follows.
      case .end: continue
      case nil: return nil
      }
    }
  }

  /// The sender finished its half of the stream.
  package mutating func finish() throws(ChunkError) {
    try parser.finish()
  }
}
