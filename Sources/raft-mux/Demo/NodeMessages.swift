import Foundation

/// What the demo asks of a node in a process of its own: one line of JSON on the node's standard input.
struct NodeRequest: Codable, Sendable, Equatable {
  /// Tells answers apart; the parent counts up from 1.
  var number: Int
  var order: Order

  enum Order: Codable, Sendable, Equatable {
    /// Begin to ask these peers for pre-votes.
    case ask(peers: [Peer])
    /// Say what you see.
    case observe
    /// Ask for no more votes and say what you see after the last answer.
    case finish
    /// Close the transport and say what is left open; the process ends after the answer.
    case close
  }
}

/// A node's answer: one line of JSON on its standard output.
struct NodeAnswer: Codable, Sendable, Equatable {
  /// The request's number; 0 for the line that a node writes when it listens.
  var number: Int
  var result: Result

  enum Result: Codable, Sendable, Equatable {
    /// The node takes connections at this address.
    case listening(address: String)
    /// The order was carried out.
    case done
    /// What the node sees.
    case observation(NodeObservation)
    /// The transport is closed; the descriptors that were not open before it was opened. `nil`: not counted.
    case closed(leftOver: [String]?)
    /// The order could not be carried out.
    case failed(String)
  }
}

/// Messages as lines.
enum NodeLine {
  /// The message as one line, with its end.
  static func encode(_ message: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(message) + Data("\n".utf8)
  }

  /// The message of a line without its end.
  static func decode<Message: Decodable>(_ type: Message.Type, from line: String) throws -> Message {
    try JSONDecoder().decode(type, from: Data(line.utf8))
  }
}
