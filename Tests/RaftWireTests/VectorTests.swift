import NIOCore
import Testing

@testable import RaftWire

@Suite("Recorded values and bytes")
struct VectorTests {
  // R-PAY-7, R-PAY-8, R-PAY-9, R-PAY-10, R-PAY-11, R-PAY-12, R-PAY-13, R-PAY-14, R-PAY-15, R-PAY-17,
  // R-PAY-18
  @Test("Every value is written as the bytes that Go wrote", arguments: VectorFile.allCases)
  func writes(file: VectorFile) throws {
    let vectors = try file.vectors()
    #expect(vectors.count > 500)
    for vector in vectors {
      let encoded = try encode(vector, profile: file.profile)
      #expect(
        vector.matches(encoded),
        "\(vector.name): \(encoded.getSlice(at: 0, length: min(600, encoded.readableBytes))?.hex ?? "")")
    }
  }

  @Test("Every run of bytes that Go wrote is read as its value", arguments: VectorFile.allCases)
  func reads(file: VectorFile) throws {
    for vector in try file.vectors() {
      // Bytes that are known by their digest only are those that the other test has just compared.
      let bytes = try vector.bytes ?? encode(vector, profile: file.profile)
      try check(vector, bytes: bytes, profile: file.profile)
    }
  }

  // R-PAY-1
  @Test("A request is its type's byte and its object", arguments: VectorFile.allCases)
  func requests(file: VectorFile) throws {
    var count = 0
    for vector in try file.vectors() {
      guard let rpcType = vector.rpcType, let type = messageTypes[vector.type] else { continue }
      let bytes = try encodeRequest(type, vector.value, profile: file.profile)
      #expect(bytes.getInteger(at: 0, as: UInt8.self) == rpcType, "\(vector.name)")
      #expect(vector.matches(try #require(bytes.getSlice(at: 1, length: bytes.readableBytes - 1)).compact))
      var rest = bytes
      let command = try WireDecoder(limits: largeLimits).decodeCommand(from: &rest)
      #expect(command.rpcType.rawValue == rpcType)
      #expect(rest.readableBytes == 0)
      var again = ByteBuffer()
      try WireEncoder(profile: file.profile).encode(command: command, into: &again)
      #expect(again == bytes, "\(vector.name)")
      count += 1
    }
    #expect(count > 250)
  }

  private func encodeRequest(
    _ type: any VectorMessage.Type, _ value: VectorValue, profile: WireProfile
  ) throws -> ByteBuffer {
    var buffer = ByteBuffer()
    guard let request = try type.init(vector: value) as? any WireRequest else {
      throw VectorValue.Unreadable(key: "rpc_type")
    }
    try WireEncoder(profile: profile).encode(request: request, into: &buffer)
    return buffer
  }

  private func check(_ vector: Vector, bytes: ByteBuffer, profile: WireProfile) throws {
    var rest = bytes
    let decoder = WireDecoder(limits: largeLimits)
    switch vector.type {
    case "ErrorString":
      #expect(try decoder.decodeErrorText(from: &rest) == vector.value.text("error"), "\(vector.name)")
    case "ResponseFrame":
      let name = vector.value.object["response_type"] as? String ?? "TimeoutNowResponse"
      let type = try responseType(name)
      try checkAnswer(type, vector, &rest)
    default:
      let type = try messageType(vector.type)
      try checkObject(type, vector, &rest, profile: profile)
    }
    #expect(rest.readableBytes == 0, "\(vector.name)")
  }

  private func checkObject<Message: VectorMessage>(
    _: Message.Type, _ vector: Vector, _ rest: inout ByteBuffer, profile: WireProfile
  ) throws {
    let expected = try Message(vector: vector.value).asRead(profile)
    let read = try WireDecoder(limits: largeLimits).decodeObject(Message.self, from: &rest)
    #expect(read == expected, "\(vector.name)")
  }

  private func checkAnswer<Response: VectorMessage & WireResponse>(
    _: Response.Type, _ vector: Vector, _ rest: inout ByteBuffer
  ) throws {
    let read = try WireDecoder(limits: largeLimits).decodeAnswer(Response.self, from: &rest)
    let expected = WireAnswer(
      error: try vector.value.text("error"),
      response: try vector.value.object("response").map { try Response(vector: $0) })
    #expect(read == expected, "\(vector.name)")
  }
}

/// Limits that let the largest vectors through.
let largeLimits = MessageLimits(maximumMessageBytes: 1 << 30, maximumElements: 1 << 24)

/// Encodes the value of a vector of any type.
func encode(_ vector: Vector, profile: WireProfile) throws -> ByteBuffer {
  let encoder = WireEncoder(profile: profile)
  var buffer = ByteBuffer()
  switch vector.type {
  case "ErrorString": try encoder.encode(errorText: vector.value.text("error"), into: &buffer)
  case "ResponseFrame":
    let name = vector.value.object["response_type"] as? String ?? "TimeoutNowResponse"
    try encodeAnswer(responseType(name), vector, encoder, &buffer)
  default:
    let type = try messageType(vector.type)
    let message: any VectorMessage = try type.init(vector: vector.value)
    try encoder.encode(object: message, into: &buffer)
  }
  return buffer
}

private func encodeAnswer<Response: VectorMessage & WireResponse>(
  _: Response.Type, _ vector: Vector, _ encoder: WireEncoder, _ buffer: inout ByteBuffer
) throws {
  let response = try vector.value.object("response").map { try Response(vector: $0) }
  try encoder.encode(answer: WireAnswer(error: vector.value.text("error"), response: response), into: &buffer)
}

extension ByteBuffer {
  /// The same bytes from index 0.
  var compact: ByteBuffer { ByteBuffer(bytes: readableBytesView) }
}

extension WireObject {
  /// What a reader gets of this value if it was written in a profile.
  func asRead(_ profile: WireProfile) -> Self {
    switch self {
    case var entry as LogEntry:
      entry.lose(profile)
      return entry as? Self ?? self
    case var append as AppendEntriesRequest:
      append.entries = append.entries?.map { entry in
        var entry = entry
        entry?.lose(profile)
        return entry
      }
      if !profile.hasIDAndAddress { append.header.loseSender() }
      return append as? Self ?? self
    case var message as any WireMessage:
      if !profile.hasIDAndAddress { message.header.loseSender() }
      return message as? Self ?? self
    default: return self
    }
  }
}

extension RPCHeader {
  fileprivate mutating func loseSender() {
    id = nil
    address = nil
  }
}

extension LogEntry {
  fileprivate mutating func lose(_ profile: WireProfile) {
    if !profile.hasAppendedAt {
      appendedAt = .zero
    } else if profile.timeFormat == .compact {
      appendedAt.location = .utc
    }
  }
}
