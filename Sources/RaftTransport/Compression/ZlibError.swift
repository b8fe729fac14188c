internal import CZlib

/// zlib could not be used for a reason that is not in the data: no memory, or another library than the one
/// that this was built for.
package struct ZlibError: Error, Equatable, Sendable, CustomStringConvertible {
  /// zlib's return code.
  package let status: Int32

  package init(status: Int32) {
    self.status = status
  }

  package var description: String {
    switch status {
    case Z_MEM_ERROR: "zlib found no memory"
    case Z_VERSION_ERROR: "the zlib that was loaded does not fit the one that this was built for"
    default: "zlib failed with status \(status)"
    }
  }
}
