/// What is wrong with the chunks that a peer sent, and where.
package struct ChunkError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The rule that was broken; the raw value is the name that `Spec/vectors/chunks.json` uses.
  package enum Code: String, Sendable, CaseIterable {
    /// A method other than 0, 1, 2.
    case unknownMethod
    /// A raw length of 0 or above 262,144.
    case invalidRawLength
    /// A stored chunk whose encoded length is not its raw length, or a zlib chunk without a byte.
    case invalidEncodedLength
    /// A zlib chunk that is not smaller than what it stands for.
    case notSmaller
    /// An end record with other lengths than 0 and 8.
    case invalidEndRecord
    /// The chunks hold more than the snapshot's size.
    case sizeExceeded
    /// The end record's total is not the sum of the raw lengths.
    case totalMismatch
    /// The end record came before the snapshot's size was reached.
    case sizeNotReached
    /// Not a zlib stream, or a damaged one, or its Adler-32 is wrong.
    case corruptData
    /// The zlib stream needs a preset dictionary.
    case presetDictionary
    /// The zlib stream goes on behind the chunk's last byte.
    case incompleteData
    /// The zlib stream ends before the chunk's last byte.
    case trailingInput
    /// The zlib stream holds fewer bytes than the raw length.
    case outputTooShort
    /// The zlib stream holds more bytes than the raw length.
    case outputTooLong
    /// Bytes behind the end record.
    case dataAfterEnd
    /// The stream finished before the end record was complete.
    case truncated
  }

  package let code: Code
  package let message: String
  /// The first byte at fault, counted from the first byte of the first chunk.
  package let offset: UInt64

  package init(_ code: Code, _ message: String, at offset: UInt64) {
    self.code = code
    self.message = message
    self.offset = offset
  }

  /// `malformedChunk`, with which the stream is stopped.
  package static let streamErrorCode: UInt32 = 0x49

  package var description: String { "malformed chunk at byte \(offset): \(message)" }
}
