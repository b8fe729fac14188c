/// A snapshot's source did not give exactly the bytes that the request announced. The stream is then reset,
/// never finished.
package enum SnapshotSourceError: Error, CustomStringConvertible {
  /// The source ended after `delivered` of `size` bytes.
  case sourceTooShort(size: UInt64, delivered: UInt64)
  /// The source goes on behind `size` bytes, none of which beyond it was passed on.
  case sourceTooLong(size: UInt64)
  /// The source threw.
  case sourceFailed(underlying: any Error)

  /// `sourceFailed`, with which the stream is reset.
  package static let streamErrorCode: UInt32 = 0x48

  package var description: String {
    switch self {
    case .sourceTooShort(let size, let delivered):
      "the snapshot's source ended after \(delivered) of \(size) bytes"
    case .sourceTooLong(let size):
      "the snapshot's source goes on behind the announced \(size) bytes"
    case .sourceFailed(let underlying):
      "the snapshot's source failed: \(underlying)"
    }
  }
}
