package import NIOCore

extension Hello {
  /// Bytes of the fields in front of the strings.
  static let fixedLength = 60

  /// Bytes of the payload that ``encode(into:)`` writes.
  package var encodedLength: Int {
    let strings = [clusterID, serverID, address, targetServerID].reduce(0) { $0 + 2 + $1.utf8.count }
    return extensions.reduce(Self.fixedLength + strings) { $0 + 4 + $1.value.count }
  }

  /// Appends the payload of the HELLO frame.
  package func encode(into buffer: inout ByteBuffer) {
    buffer.writeMultipleIntegers(
      minimumVersion, maximumVersion, features.rawValue, methods.rawValue, maximumFramePayload,
      initialWindow, streamCredit.election, streamCredit.append, streamCredit.snapshot, incarnation)
    buffer.writeNonce(nonce)
    for string in [clusterID, serverID, address, targetServerID] {
      buffer.writeInteger(UInt16(string.utf8.count))
      buffer.writeString(string)
    }
    for field in extensions {
      buffer.writeMultipleIntegers(field.type, UInt16(field.value.count))
      buffer.writeBytes(field.value)
    }
  }

  /// Reads the payload of a HELLO frame, all of it.
  package init(decoding payload: ByteBuffer) throws(HelloDefect) {
    guard payload.readableBytes <= ProtocolConstants.helloLimit else {
      throw .encodedTooLong(payload.readableBytes)
    }
    var rest = payload
    guard
      let (least, most, features, methods, framePayload, window, election, append, snapshot, incarnation) =
        rest.readMultipleIntegers(
          as: (UInt16, UInt16, UInt64, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt64).self),
      let nonce = rest.readNonce()
    else { throw .truncated(.fixedFields) }
    try self.init(
      minimumVersion: least,
      maximumVersion: most,
      features: Features(rawValue: features),
      methods: AuthenticationMethods(rawValue: methods),
      maximumFramePayload: framePayload,
      initialWindow: window,
      streamCredit: StreamCredit(election: election, append: append, snapshot: snapshot),
      incarnation: incarnation,
      nonce: nonce,
      clusterID: try Self.readString(.clusterID, from: &rest),
      serverID: try Self.readString(.serverID, from: &rest),
      address: try Self.readString(.address, from: &rest),
      targetServerID: try Self.readString(.targetServerID, from: &rest),
      extensions: try Self.readExtensions(from: &rest)
    )
  }

  private static func readString(
    _ field: HelloDefect.Field, from buffer: inout ByteBuffer
  ) throws(HelloDefect) -> String {
    guard let length = buffer.readInteger(as: UInt16.self), var bytes = buffer.readSlice(length: Int(length))
    else { throw .truncated(field) }
    guard Int(length) <= ProtocolConstants.identifierLimit else { throw .tooLong(field, Int(length)) }
    guard let string = bytes.readValidUnicode() else { throw .notUnicode(field) }
    return string
  }

  private static func readExtensions(from buffer: inout ByteBuffer) throws(HelloDefect) -> [Extension] {
    var extensions: [Extension] = []
    while buffer.readableBytes > 0 {
      guard let (type, length) = buffer.readMultipleIntegers(as: (UInt16, UInt16).self),
        let value = buffer.readBytes(length: Int(length))
      else { throw .truncated(.extensions) }
      extensions.append(Extension(type: type, value: value))
    }
    return extensions
  }
}
