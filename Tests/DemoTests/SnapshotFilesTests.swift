import Foundation
import NIOCore
import Testing

@testable import raft_mux

@Suite("The files that the benchmark's snapshots come from")
struct SnapshotFilesTests {
  @Test("A snapshot's file is made when it is asked for, once, and no other with it")
  func filesOnDemand() throws {
    let files = try SnapshotFiles(size: 1_000_003)
    defer { files.remove() }
    let path = try files.path(.random)
    let folder = URL(filePath: path).deletingLastPathComponent().path
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder) == [URL(filePath: path).lastPathComponent])
    let bytes = try files.bytes(.random)
    #expect(bytes.readableBytes == 1_000_003)
    #expect(try files.path(.random) == path)
    #expect(try files.bytes(.random) == bytes)
    #expect(try files.bytes(.text, upTo: 5).readableBytes == 5)
  }
}
