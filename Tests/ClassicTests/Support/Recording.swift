import Foundation
import NIOCore
import RaftTransport
import RaftWire
import Testing

/// A file of recorded conversations between transports of hashicorp/raft, and who spoke in it.
struct RecordingFile: Sendable, CustomTestStringConvertible {
  let name: String
  let client: WireProfile
  let server: WireProfile

  init(_ name: String, _ client: WireProfile, _ server: WireProfile? = nil) {
    self.name = name
    self.client = client
    self.server = server ?? client
  }

  var testDescription: String { name }

  static let all: [RecordingFile] = [
    RecordingFile("1.1.2", .original),
    RecordingFile("1.7-oldtime", .modern),
    RecordingFile("1.7-newtime", .modernNewTime),
    RecordingFile("head-oldtime", .modern),
    RecordingFile("cross-1.1.2-client-1.7-server", .original, .modern),
    RecordingFile("cross-1.7-client-1.1.2-server", .modern, .original),
    RecordingFile("cross-1.7-newtime-client-1.1.2-server", .modernNewTime, .original),
  ]

  func conversations() throws -> [RecordedConversation] {
    let folder = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Spec/vectors/raft-wire/transcripts")
    let data = try Data(contentsOf: folder.appendingPathComponent("public-\(name).json"))
    let file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    return try #require(file["transcripts"] as? [[String: Any]]).map { try RecordedConversation($0) }
  }
}

/// One recorded conversation: what was asked and answered on each of its connections.
struct RecordedConversation: Sendable {
  let name: String
  let connections: [[RecordedExchange]]

  fileprivate init(_ object: [String: Any]) throws {
    name = try #require(object["name"] as? String)
    connections = try #require(object["connections"] as? [[String: Any]]).map { connection in
      let events = try #require(connection["events"] as? [[String: Any]])
      return try RecordedExchange.parse(
        requests: Self.bytes(events, "c2s"), answers: Self.bytes(events, "s2c"))
    }
  }

  private static func bytes(_ events: [[String: Any]], _ direction: String) throws -> ByteBuffer {
    var all = ByteBuffer()
    for event in events where event["dir"] as? String == direction {
      guard let hex = event["hex"] as? String else { continue }
      var digits = hex[...]
      while !digits.isEmpty {
        all.writeInteger(try #require(UInt8(digits.prefix(2), radix: 16)))
        digits = digits.dropFirst(2)
      }
    }
    return all
  }
}

/// One request with what followed it, and what came back.
struct RecordedExchange: Sendable {
  let command: WireCommand
  /// The raw bytes behind an InstallSnapshot request.
  let body: ByteBuffer
  /// Everything that the client sent for it.
  let sent: ByteBuffer
  /// What the server answered; `nil` where it closed instead.
  let answered: ByteBuffer?

  static func parse(requests: ByteBuffer, answers: ByteBuffer) throws -> [RecordedExchange] {
    let whole = requests
    var (requests, answers) = (requests, answers)
    var exchanges: [RecordedExchange] = []
    while requests.readableBytes > 0 {
      let begin = requests.readerIndex
      let command = try WireDecoder().decodeCommand(from: &requests)
      var body = ByteBuffer()
      if case .installSnapshot(let request) = command {
        let bytes = requests.readSlice(length: Int(request.size))
        body = try #require(bytes)
      }
      let sent = try #require(whole.getSlice(at: begin, length: requests.readerIndex - begin))
      exchanges.append(
        RecordedExchange(
          command: command, body: body, sent: sent, answered: try nextAnswer(to: command, from: &answers)))
    }
    #expect(answers.readableBytes == 0)
    return exchanges
  }

  private static func nextAnswer(
    to command: WireCommand, from answers: inout ByteBuffer
  ) throws -> ByteBuffer? {
    guard answers.readableBytes > 0 else { return nil }
    let whole = answers
    let begin = answers.readerIndex
    switch command {
    case .appendEntries: _ = try WireDecoder().decodeAnswer(AppendEntriesResponse.self, from: &answers)
    case .requestVote: _ = try WireDecoder().decodeAnswer(RequestVoteResponse.self, from: &answers)
    case .requestPreVote: _ = try WireDecoder().decodeAnswer(RequestPreVoteResponse.self, from: &answers)
    case .installSnapshot: _ = try WireDecoder().decodeAnswer(InstallSnapshotResponse.self, from: &answers)
    case .timeoutNow: _ = try WireDecoder().decodeAnswer(TimeoutNowResponse.self, from: &answers)
    }
    return whole.getSlice(at: begin, length: answers.readerIndex - begin)
  }

  /// The recorded answer as a value.
  func answer<Response: WireResponse>(_ type: Response.Type) throws -> WireAnswer<Response> {
    var bytes = try #require(answered)
    return try WireDecoder().decodeAnswer(type, from: &bytes)
  }
}
