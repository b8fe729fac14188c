import Foundation
package import NIOCore

/// The inputs that a target begins with: seeds made from the vectors of the specification, the corpus that earlier runs
/// found worth keeping, and what once found a fault.
package enum FuzzInputs {
  private static let tests = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  private static let vectors = tests.deletingLastPathComponent().appendingPathComponent("Spec/vectors")

  /// Inputs that found a fault, by their names.
  package static func regressions(_ target: String) throws -> [(name: String, bytes: ByteBuffer)] {
    try lines(of: "Fuzzing/Regressions/\(target).hex").map { line in
      let parts = line.split(separator: " ")
      guard parts.count == 2, let bytes = ByteBuffer(hex: parts[1]) else {
        throw CocoaError(.fileReadCorruptFile)
      }
      return (String(parts[0]), bytes)
    }
  }

  /// Inputs that reach what others do not: one a line, in hexadecimal digits.
  package static func corpus(_ target: String) throws -> [ByteBuffer] {
    try lines(of: "Fuzzing/Corpus/\(target).hex").compactMap { ByteBuffer(hex: $0) }
  }

  private static func lines(of path: String) throws -> [Substring] {
    let file = tests.appendingPathComponent(path)
    guard FileManager.default.fileExists(atPath: file.path) else { return [] }
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
  }

  /// Inputs made from the vectors.
  package static func seeds(_ target: String) throws -> [ByteBuffer] {
    switch target {
    case "wire": try wireSeeds()
    case "conversation": try transcriptSeeds().map { ByteBuffer(prefix: [7], $0) }
    case "classic": try classicSeeds()
    case "chunks": try chunkSeeds()
    case "frames": try frameSeeds()
    case "handshake": try conversationSeeds()
    case "engine": try engineSeeds()
    default: []
    }
  }

  /// Everything as files, whose names say where they come from.
  static func write(_ target: String, to folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let regressions = try regressions(target).map(\.bytes)
    for (kind, inputs) in [
      ("seed", try seeds(target)), ("kept", try corpus(target)), ("regression", regressions),
    ] {
      for (index, input) in inputs.enumerated() {
        try Data(input.readableBytesView).write(to: folder.appendingPathComponent("\(kind)-\(index)"))
      }
    }
  }

  // MARK: Seeds

  private static func wireSeeds() throws -> [ByteBuffer] {
    let answers = [
      "AppendEntriesResponse": 1, "RequestVoteResponse": 2, "InstallSnapshotResponse": 3,
      "TimeoutNowResponse": 4,
      "RequestPreVoteResponse": 5,
    ]
    let requests = [
      "AppendEntriesRequest": 0, "RequestVoteRequest": 1, "InstallSnapshotRequest": 2, "TimeoutNowRequest": 3,
      "RequestPreVoteRequest": 4,
    ]
    let files = ["public-1.1.2", "public-1.7-oldtime", "public-1.7-newtime"]
    let probes = try objects("raft-wire/vectors/decoder-public.json", "probes")
    return try (files.flatMap { try objects("raft-wire/vectors/\($0).json", "vectors") } + probes).compactMap
    { vector in
      guard let hex = vector["hex"] as? String, let bytes = ByteBuffer(hex: hex), bytes.readableBytes < 1_000,
        let type = vector["type"] as? String
      else { return nil }
      if let request = requests[type] { return ByteBuffer(prefix: [0, 7, UInt8(request)], bytes) }
      if let answer = answers[vector["response_type"] as? String ?? type] {
        return ByteBuffer(prefix: [UInt8(answer), 7] + (type == "ResponseFrame" ? [] : [0xA0]), bytes)
      }
      return nil
    }
  }

  private static func transcriptSeeds() throws -> [ByteBuffer] {
    try ["public-1.7-oldtime", "public-1.1.2"].flatMap {
      try objects("raft-wire/transcripts/\($0).json", "transcripts")
    }.flatMap { transcript -> [ByteBuffer] in
      let connections = transcript["connections"] as? [[String: Any]] ?? []
      return connections.compactMap { connection in
        guard let hex = connection["c2s"] as? String, let bytes = ByteBuffer(hex: hex),
          bytes.readableBytes < 3_000
        else { return nil }
        return bytes
      }
    }
  }

  /// The recorded conversations of clients of the old protocol as literal bytes (operation 0, at most 255 of them), with
  /// answers in between (operation 16).
  private static func classicSeeds() throws -> [ByteBuffer] {
    try transcriptSeeds().filter { $0.readableBytes < 900 }.map { transcript in
      var (seed, rest) = (ByteBuffer(bytes: [0]), transcript)
      while let part = rest.readSlice(length: min(255, rest.readableBytes)), part.readableBytes > 0 {
        seed.writeBytes([0, UInt8(part.readableBytes)])
        seed.writeImmutableBuffer(part)
        seed.writeBytes([16, 0, 16, 0, 16, 0])
      }
      return seed
    }
  }

  private static func chunkSeeds() throws -> [ByteBuffer] {
    try ["valid", "invalid"].flatMap { try objects("chunks.json", $0) }.compactMap { vector in
      guard let hex = vector["encoded"] as? String, let bytes = ByteBuffer(hex: hex),
        bytes.readableBytes < 4_000,
        let size = vector["size"] as? Int
      else { return nil }
      let word = (0..<8).reversed().map { UInt8(truncatingIfNeeded: size >> ($0 * 8)) }
      return ByteBuffer(prefix: [2, 7] + word, bytes)
    }
  }

  private static func frameSeeds() throws -> [ByteBuffer] {
    try ["valid", "invalid"].flatMap { try objects("frames.json", $0) }.compactMap { vector in
      guard let hex = vector["hex"] as? String, let bytes = ByteBuffer(hex: hex), bytes.readableBytes < 5_000
      else {
        return nil
      }
      return ByteBuffer(prefix: [vector["crc32"] as? Bool == true ? 1 : 0, 7], bytes)
    }
  }

  /// Frames as literal bytes of the peer (operation 31, at most 255 of them), behind an opening (operation 18).
  private static func engineSeeds() throws -> [ByteBuffer] {
    try ["valid", "invalid"].flatMap { try objects("frames.json", $0) }.compactMap { vector in
      guard let hex = vector["hex"] as? String, let bytes = ByteBuffer(hex: hex), bytes.readableBytes < 256
      else {
        return nil
      }
      let mode: UInt8 = vector["crc32"] as? Bool == true ? 2 : 0
      return ByteBuffer(prefix: [mode, 18, 2, 31, UInt8(bytes.readableBytes)], bytes)
    }
  }

  /// The conversations of the specification, as literal bytes of the peer: operation 9, and at most 255 of them.
  private static func conversationSeeds() throws -> [ByteBuffer] {
    try objects("examples.json", "examples").flatMap { example -> [ByteBuffer] in
      let steps = example["steps"] as? [[String: Any]] ?? []
      return ["dialler", "acceptor"].map { speaker in
        var seed = ByteBuffer(bytes: [speaker == "dialler" ? 0 : 1])
        for step in steps where step["from"] as? String == speaker {
          guard let hex = step["hex"] as? String, var bytes = ByteBuffer(hex: hex) else { continue }
          while let part = bytes.readSlice(length: min(255, bytes.readableBytes)), part.readableBytes > 0 {
            seed.writeBytes([9, UInt8(part.readableBytes)])
            seed.writeImmutableBuffer(part)
          }
        }
        return seed
      }
    }
  }

  private static func objects(_ path: String, _ key: String) throws -> [[String: Any]] {
    let data = try Data(contentsOf: vectors.appendingPathComponent(path))
    let file = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    return file?[key] as? [[String: Any]] ?? []
  }
}

extension ByteBuffer {
  fileprivate init(prefix: [UInt8], _ bytes: ByteBuffer) {
    self.init(bytes: prefix)
    writeImmutableBuffer(bytes)
  }

  /// nil: not pairs of hexadecimal digits.
  fileprivate init?(hex: some StringProtocol) {
    let digits = Array(hex.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    self.init()
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else {
        return nil
      }
      writeInteger(byte)
    }
  }
}
