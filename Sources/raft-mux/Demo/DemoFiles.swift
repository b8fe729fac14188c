import Foundation

/// The files that the demo sends: the user's own, or ones that it makes and removes.
struct DemoFiles: Sendable {
  /// Its lines are the log's entries.
  var log: String
  /// Its bytes are the snapshot.
  var snapshot: String
  /// Where the two come from, for people.
  var origin: String
  /// Holds what was made; `nil` where nothing was.
  private var temporaryDirectory: String?

  /// Names the user's files and makes those that he did not name.
  ///
  /// - Parameter snapshotSize: The length of a made snapshot in bytes.
  /// - Throws: ``DemoError`` or an error of the file system.
  static func prepare(log: String?, snapshot: String?, snapshotSize: Int) throws -> DemoFiles {
    for path in [log, snapshot].compactMap(\.self) {
      var isDirectory: ObjCBool = false
      // The call fills in the flag and keeps no pointer to it.
      let exists = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      guard exists, !isDirectory.boolValue, FileManager.default.isReadableFile(atPath: path) else {
        throw DemoError("the file \(path) cannot be read")
      }
    }
    if let log, let snapshot {
      return DemoFiles(log: log, snapshot: snapshot, origin: "the files given")
    }
    let directory = FileManager.default.temporaryDirectory.appending(
      path: "raft-mux-demo-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    do {
      let (text, origin) = try self.text()
      let madeLog = directory.appending(path: "log")
      let madeSnapshot = directory.appending(path: "snapshot")
      if log == nil { try text.write(to: madeLog) }
      if snapshot == nil { try self.write(text, repeatedTo: snapshotSize, at: madeSnapshot) }
      return DemoFiles(
        log: log ?? madeLog.path, snapshot: snapshot ?? madeSnapshot.path, origin: origin,
        temporaryDirectory: directory.path)
    } catch {
      try? FileManager.default.removeItem(at: directory)
      throw error
    }
  }

  /// Removes what was made. Doing it twice does no harm.
  func remove() {
    guard let directory = self.temporaryDirectory else { return }
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// The package's sources, if the current directory is within one, else words from a generator.
  private static func text() throws -> (text: Data, origin: String) {
    if let package = self.packageDirectory() {
      let text = try self.sources(of: package)
      if !text.isEmpty { return (text, "the sources in \(package.path)") }
    }
    return (Data(GeneratedText.lines(20_000).utf8), "generated text")
  }

  private static func packageDirectory() -> URL? {
    var directory = URL(filePath: FileManager.default.currentDirectoryPath).standardizedFileURL
    while true {
      if FileManager.default.fileExists(atPath: directory.appending(path: "Package.swift").path) {
        return directory
      }
      let parent = directory.deletingLastPathComponent().standardizedFileURL
      if parent.path == directory.path || directory.path == "/" { return nil }
      directory = parent
    }
  }

  private static func sources(of package: URL) throws -> Data {
    var text = Data()
    for (folder, ending) in [("Sources", ".swift"), ("Spec", ".md")] {
      let directory = package.appending(path: folder)
      let names = FileManager.default.enumerator(atPath: directory.path)?.compactMap { $0 as? String } ?? []
      for name in names.sorted() where name.hasSuffix(ending) {
        let file = try Data(contentsOf: directory.appending(path: name))
        text.append(file)
        if file.last != UInt8(ascii: "\n") { text.append(UInt8(ascii: "\n")) }
      }
    }
    return text
  }

  private static func write(_ text: Data, repeatedTo size: Int, at location: URL) throws {
    try Data().write(to: location)
    let file = try FileHandle(forWritingTo: location)
    defer { try? file.close() }
    var remaining = size
    while remaining > 0 {
      let piece = text.prefix(remaining)
      try file.write(contentsOf: piece)
      remaining -= piece.count
    }
  }
}
