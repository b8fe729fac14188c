import Foundation

/// `Spec/vectors/conversations.json`.
struct ConversationVectors: Decodable {
  struct Conversation: Decodable, Sendable {
    let name: String
    let role: String
    let requirements: [String]
    /// What the endpoint offers; nothing where it is not there.
    let features: UInt64?
    /// Whether checksums are agreed on.
    let crc32: Bool?
    let steps: [Step]
  }

  /// What is said, done or awaited; each step has one of these.
  struct Step: Decodable, Sendable {
    /// Bytes from the peer.
    let `in`: String?
    /// All that goes out.
    let out: [Said]?
    /// Time passes until so many milliseconds after the start.
    let at: Int?
    /// The owner answers a stream of the peer, and ends it.
    let answer: String?
    /// The owner opens a stream of a class.
    let open: UInt8?
    let bytes: String?
    /// A byte that stands for `count` of it.
    let byte: String?
    let count: Int?
    let fin: Bool?
    /// The owner has dealt with `count` bytes of a stream of the peer.
    let consume: String?
    let drain: Bool?
    let endOfInput: Bool?
    let closesOutput: Bool?
  }

  struct Said: Decodable, Sendable {
    let hex: String?
    let goAway: UInt32?
    let last: String?
    let refusal: UInt32?
    let run: Run?
  }

  /// DATA frames of one stream, cut in any way.
  struct Run: Decodable, Sendable {
    let stream: String
    let byte: String
    let count: Int
    let fin: Bool
    let `class`: UInt8?
  }

  let conversations: [Conversation]

  static func load() throws -> ConversationVectors {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try JSONDecoder().decode(
      Self.self, from: Data(contentsOf: root.appending(path: "Spec/vectors/conversations.json")))
  }
}
