import Foundation
import NIOCore
import Testing

@testable import RaftWire

/// A file of recorded conversations: who spoke in it.
struct TranscriptFile: Sendable, CustomTestStringConvertible {
  let name: String
  let client: WireProfile
  let server: WireProfile

  init(_ name: String, _ client: WireProfile, _ server: WireProfile? = nil) {
    self.name = name
    self.client = client
    self.server = server ?? client
  }

  var testDescription: String { name }

  static let conversations: [TranscriptFile] = [
    TranscriptFile("1.1.2", .original),
    TranscriptFile("1.7-oldtime", .modern),
    TranscriptFile("1.7-newtime", .modernNewTime),
    TranscriptFile("head-oldtime", .modern),
    TranscriptFile("cross-1.1.2-client-1.7-server", .original, .modern),
    TranscriptFile("cross-1.7-client-1.1.2-server", .modern, .original),
    TranscriptFile("cross-1.7-newtime-client-1.1.2-server", .modernNewTime, .original),
  ]

  static let clusters: [TranscriptFile] = [
    TranscriptFile("cluster-1.1.2", .original),
    TranscriptFile("cluster-1.1.2-protocol1", .original),
    TranscriptFile("cluster-1.1.2-protocol2", .original),
    TranscriptFile("cluster-1.7-oldtime", .modern),
    TranscriptFile("cluster-1.7-newtime", .modernNewTime),
    TranscriptFile("cluster-head-oldtime", .modern),
  ]

  func load() throws -> VectorValue {
    try SpecFile.object("vectors/raft-wire/transcripts/public-\(name).json")
  }
}

@Suite("Recorded conversations")
struct TranscriptTests {
  @Test(
    "Frames between members of a cluster are read, and written as they were",
    arguments: TranscriptFile.clusters)
  func frames(file: TranscriptFile) throws {
    let frames = try #require(try file.load().object["frames"] as? [[String: Any]])
    for object in frames {
      let frame = VectorValue(object: object)
      let request = try frame.bytes("request_frame") ?? ByteBuffer()
      let commands = try rebuild(requests: [request], profile: file.client)
      #expect(commands.count == 1)
      guard let answer = try frame.bytes("response_frame"), answer.readableBytes > 0 else { continue }
      try rebuild(answers: [answer], to: commands, profile: file.server)
    }
  }

  @Test(
    "Both directions of a connection are read, and written as they were",
    arguments: TranscriptFile.conversations)
  func conversations(file: TranscriptFile) throws {
    let transcripts = try #require(try file.load().object["transcripts"] as? [[String: Any]])
    #expect(transcripts.count > 10)
    for transcript in transcripts {
      for connection in try #require(transcript["connections"] as? [[String: Any]]) {
        let events = try #require(connection["events"] as? [[String: Any]])
        let commands = try rebuild(requests: pieces(events, "c2s"), profile: file.client)
        try rebuild(answers: pieces(events, "s2c"), to: commands, profile: file.server)
      }
    }
  }

  private func pieces(_ events: [[String: Any]], _ direction: String) throws -> [ByteBuffer] {
    try events.compactMap { event in
      guard event["dir"] as? String == direction, let hex = event["hex"] as? String else { return nil }
      return try ByteBuffer(hex: hex)
    }
  }

  /// Reads requests with what follows them, and compares what they are written as.
  private func rebuild(requests: [ByteBuffer], profile: WireProfile) throws -> [WireCommand] {
    var assembler = MessageAssembler()
    var sent = ByteBuffer()
    for piece in requests {
      sent.writeImmutableBuffer(piece)
      assembler.append(piece)
    }
    var written = ByteBuffer()
    var commands: [WireCommand] = []
    while let command = try assembler.nextCommand() {
      commands.append(command)
      try WireEncoder(profile: profile).encode(command: command, into: &written)
      guard case .installSnapshot(let request) = command else { continue }
      var missing = Int(request.size)
      while let body = assembler.nextRawBytes(atMost: missing) {
        written.writeImmutableBuffer(body)
        missing -= body.readableBytes
      }
    }
    #expect(written == sent)
    return commands
  }

  /// Reads the answers to requests, and compares what they are written as.
  private func rebuild(answers: [ByteBuffer], to commands: [WireCommand], profile: WireProfile) throws {
    var assembler = MessageAssembler()
    var sent = ByteBuffer()
    for piece in answers {
      sent.writeImmutableBuffer(piece)
      assembler.append(piece)
    }
    var written = ByteBuffer()
    for command in commands {
      switch command {
      case .appendEntries: try copy(AppendEntriesResponse.self, &assembler, &written, profile)
      case .requestVote: try copy(RequestVoteResponse.self, &assembler, &written, profile)
      case .installSnapshot: try copy(InstallSnapshotResponse.self, &assembler, &written, profile)
      case .timeoutNow: try copy(TimeoutNowResponse.self, &assembler, &written, profile)
      case .requestPreVote: try copy(RequestPreVoteResponse.self, &assembler, &written, profile)
      }
    }
    #expect(written == sent)
    #expect(assembler.pendingBytes == 0)
  }

  private func copy<Response: WireResponse>(
    _: Response.Type, _ assembler: inout MessageAssembler, _ written: inout ByteBuffer, _ profile: WireProfile
  ) throws {
    guard let answer = try assembler.nextAnswer(Response.self) else { return }
    try WireEncoder(profile: profile).encode(answer: answer, into: &written)
  }
}
