internal import Foundation

/// A file that a report goes into when a run is over, opened before it begins: a path that cannot be written is no news
/// for later.
package struct ReportFile {
  /// Why a file cannot be written.
  package struct Unwritable: Error, CustomStringConvertible {
    package let path: String

    package var description: String { "'\(path)' cannot be written." }
  }

  private let handle: FileHandle

  /// Opens a file, or makes it. What is in it stays until ``write(_:)``.
  package init(path: String) throws(Unwritable) {
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    guard let handle = FileHandle(forWritingAtPath: path) else { throw Unwritable(path: path) }
    self.handle = handle
  }

  /// Puts a text into the file, in the place of what was there.
  package func write(_ text: String) throws {
    // A pipe has no length, and takes the text all the same.
    try? handle.truncate(atOffset: 0)
    try handle.write(contentsOf: Data(text.utf8))
  }
}
