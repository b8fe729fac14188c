import ConformanceSuite
import Foundation
import Testing

/// The vectors of snapshots in chunks, as a client under test would send them.
@Suite("The conformance suite's look at chunks")
struct ChunkAuditorTests {
  struct Vector: Decodable, Sendable, CustomStringConvertible {
    let name: String
    let size: Int64
    let encoded: String
    let error: String?

    var description: String { name }
  }

  private struct Vectors: Decodable {
    let valid: [Vector]
    let invalid: [Vector]
  }

  /// The requirements that a fault of the table in `Spec/snapshots.md` breaks.
  private static let requirements = [
    "unknownMethod": ["R-SNAP-3"], "invalidRawLength": ["R-SNAP-4"], "invalidEndRecord": ["R-SNAP-10"],
    "invalidEncodedLength": ["R-SNAP-5"], "notSmaller": ["R-SNAP-5"], "sizeExceeded": ["R-SNAP-6"],
    "corruptData": ["R-SNAP-7"], "presetDictionary": ["R-SNAP-7"],
    "incompleteData": ["R-SNAP-7"],
    "trailingInput": ["R-SNAP-8"], "outputTooShort": ["R-SNAP-9"], "outputTooLong": ["R-SNAP-9"],
    "totalMismatch": ["R-SNAP-10"], "sizeNotReached": ["R-SNAP-10"], "dataAfterEnd": ["R-SNAP-11"],
    "truncated": ["R-SNAP-11"],
  ]

  private static func vectors() throws -> Vectors {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try JSONDecoder().decode(
      Vectors.self, from: Data(contentsOf: root.appending(path: "Spec/vectors/chunks.json")))
  }

  /// What is found in a body that comes in pieces of some bytes.
  private static func fault(_ vector: Vector, pieces: Int) -> ChunkAuditor.Fault? {
    var auditor = ChunkAuditor(size: vector.size)
    let bytes = [UInt8].hexadecimal(vector.encoded)
    do throws(ChunkAuditor.Fault) {
      for start in stride(from: 0, to: bytes.count, by: pieces) {
        try auditor.take(bytes[start..<min(start + pieces, bytes.count)])
      }
      try auditor.finish()
      return nil
    } catch {
      return error
    }
  }

  @Test("finds nothing in valid bodies, however they are cut", arguments: [1, 7, 1 << 20])
  func valid(pieces: Int) throws {
    let vectors = try Self.vectors().valid
    #expect(!vectors.isEmpty)
    for vector in vectors { #expect(Self.fault(vector, pieces: pieces) == nil, "\(vector)") }
  }

  @Test("finds the fault of each invalid body, however it is cut", arguments: [1, 7, 1 << 20])
  func invalid(pieces: Int) throws {
    let vectors = try Self.vectors().invalid
    #expect(!vectors.isEmpty)
    for vector in vectors {
      let right = try #require(Self.requirements[vector.error ?? ""], "\(vector)")
      let found = Self.fault(vector, pieces: pieces)
      #expect(
        right.contains(found?.requirement ?? "none"),
        "\(vector) (\(vector.error ?? "")): \(String(describing: found))")
    }
  }
}
