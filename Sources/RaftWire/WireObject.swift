package import NIOCore

/// A value that travels as a MessagePack map of named fields.
package protocol WireObject: Sendable, Hashable {
  /// The value of a message without any field.
  static var blank: Self { get }
  /// The fields in the order in which a message written as an array has them.
  static var declaredFields: [WireField] { get }
  /// Reads the value of a field, or answers `false` (and reads nothing) if there is no such field.
  mutating func decode(_ field: WireField, from reader: inout WireReader) throws(WireError) -> Bool
  /// Writes the object.
  func encode<Sink: ByteSink>(into writer: inout WireWriter<Sink>) throws(WireError)
}

/// A message with a header: a request's or a response's object.
package protocol WireMessage: WireObject {
  /// What the message says about its sender.
  var header: RPCHeader { get set }
}

/// A request's object.
package protocol WireRequest: WireMessage {
  /// The byte in front of it.
  static var rpcType: RPCType { get }
}

/// A response's object.
package protocol WireResponse: WireMessage {}

/// Any request, as a reader of a stream meets it.
package enum WireCommand: Sendable, Hashable {
  case appendEntries(AppendEntriesRequest)
  case requestVote(RequestVoteRequest)
  case installSnapshot(InstallSnapshotRequest)
  case timeoutNow(TimeoutNowRequest)
  case requestPreVote(RequestPreVoteRequest)

  /// The byte in front of the request.
  package var rpcType: RPCType {
    switch self {
    case .appendEntries: .appendEntries
    case .requestVote: .requestVote
    case .installSnapshot: .installSnapshot
    case .timeoutNow: .timeoutNow
    case .requestPreVote: .requestPreVote
    }
  }
}

/// What answers a request: an error text, a response object, or both.
package struct WireAnswer<Response: WireResponse>: Sendable, Hashable {
  /// The error's text, any bytes; `nil` for none. Never empty when decoded: an empty text is no error.
  package var error: ByteBuffer?
  /// The response; `nil` if the peer sent none (`c0`).
  package var response: Response?

  package init(error: ByteBuffer? = nil, response: Response? = nil) {
    self.error = error
    self.response = response
  }
}

extension RPCHeader {
  /// Reads the header's fields, which lie among the message's own.
  mutating func decode(_ field: WireField, from reader: inout WireReader) throws(WireError) -> Bool {
    switch field {
    case .protocolVersion: protocolVersion = try reader.readInt64()
    case .id: id = try reader.readBytes()
    case .address: address = try reader.readBytes()
    default: return false
    }
    return true
  }
}
