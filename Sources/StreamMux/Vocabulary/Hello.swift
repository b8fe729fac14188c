/// The first frame of each direction: who speaks, what it can do and what it will take.
///
/// Its layout is the same in every version of the protocol. Values of this type are always within the
/// ranges stated here: ``init`` and ``init(decoding:)`` check them.
package struct Hello: Equatable, Sendable {
  /// Lowest and highest version spoken. At least 1, ascending.
  package let minimumVersion: UInt16
  package let maximumVersion: UInt16
  package let features: Features
  package let methods: AuthenticationMethods
  /// The largest payload that this end takes, bytes, 4,096...65,536.
  package let maximumFramePayload: UInt32
  /// What the peer may send on each new stream before it is given more, bytes, 16 KiB...64 MiB.
  package let initialWindow: UInt32
  /// How many streams of each class the peer may open to begin with.
  package let streamCredit: StreamCredit
  /// Grows with every start of the server, so that an old connection can be told from a new one.
  package let incarnation: UInt64
  package let nonce: Nonce
  /// 1...255 bytes of UTF-8.
  package let clusterID: String
  /// 1...255 bytes of UTF-8.
  package let serverID: String
  /// Where this server can be dialled, 0...255 bytes of UTF-8.
  package let address: String
  /// The server that the dialler wants to reach, 0...255 bytes; empty: whoever answers. The acceptor
  /// sends it empty.
  package let targetServerID: String
  /// In the order of the wire; unknown types are kept and mean nothing.
  package let extensions: [Extension]

  /// A field that later versions may add without changing the layout.
  package struct Extension: Hashable, Sendable {
    package let type: UInt16
    /// At most 65,535 bytes, and all of HELLO at most 3,072.
    package let value: [UInt8]

    package init(type: UInt16, value: [UInt8]) {
      self.type = type
      self.value = value
    }
  }

  /// - Throws: ``HelloDefect`` for the first field that is out of range.
  package init(
    minimumVersion: UInt16 = ProtocolConstants.version,
    maximumVersion: UInt16 = ProtocolConstants.version,
    features: Features = .known,
    methods: AuthenticationMethods = .none,
    maximumFramePayload: UInt32 = UInt32(ProtocolConstants.largestFramePayload),
    initialWindow: UInt32 = 256 * 1_024,
    streamCredit: StreamCredit = .defaults,
    incarnation: UInt64,
    nonce: Nonce,
    clusterID: String,
    serverID: String,
    address: String = "",
    targetServerID: String = "",
    extensions: [Extension] = []
  ) throws(HelloDefect) {
    self.minimumVersion = minimumVersion
    self.maximumVersion = maximumVersion
    self.features = features
    self.methods = methods
    self.maximumFramePayload = maximumFramePayload
    self.initialWindow = initialWindow
    self.streamCredit = streamCredit
    self.incarnation = incarnation
    self.nonce = nonce
    self.clusterID = clusterID
    self.serverID = serverID
    self.address = address
    self.targetServerID = targetServerID
    self.extensions = extensions
    try check()
  }

  private func check() throws(HelloDefect) {
    guard minimumVersion >= 1, minimumVersion <= maximumVersion else {
      throw .versions(minimumVersion, maximumVersion)
    }
    let payloadRange = ProtocolConstants.leastFramePayload...ProtocolConstants.largestFramePayload
    guard payloadRange.contains(Int(maximumFramePayload)) else {
      throw .framePayload(maximumFramePayload)
    }
    guard ProtocolConstants.initialWindowRange.contains(Int(initialWindow)) else {
      throw .initialWindow(initialWindow)
    }
    for (field, string, mayBeEmpty) in [
      (HelloDefect.Field.clusterID, clusterID, false), (.serverID, serverID, false),
      (.address, address, true), (.targetServerID, targetServerID, true),
    ] {
      let length = string.utf8.count
      guard length <= ProtocolConstants.identifierLimit else { throw .tooLong(field, length) }
      guard mayBeEmpty || length > 0 else { throw .empty(field) }
    }
    guard encodedLength <= ProtocolConstants.helloLimit else { throw .encodedTooLong(encodedLength) }
  }
}

/// What is wrong with a HELLO. The text names the field, what it holds and what it may hold.
package enum HelloDefect: Error, Equatable, Sendable {
  case truncated(Field)
  case versions(UInt16, UInt16)
  case framePayload(UInt32)
  case initialWindow(UInt32)
  case empty(Field)
  case tooLong(Field, Int)
  case notUnicode(Field)
  case encodedTooLong(Int)

  package enum Field: String, Hashable, Sendable {
    case fixedFields = "fixed fields"
    case clusterID = "cluster ID"
    case serverID = "server ID"
    case address = "advertised address"
    case targetServerID = "target server ID"
    case extensions = "extensions"
  }
}

extension HelloDefect: CustomStringConvertible {
  package var description: String {
    let limit = ProtocolConstants.identifierLimit
    return switch self {
    case .truncated(let field): "HELLO ends inside its \(field.rawValue)"
    case .versions(let least, let most):
      "HELLO offers the versions \(least) to \(most); ascending from 1 is due"
    case .framePayload(let bytes):
      """
      HELLO announces frames of \(bytes) bytes; \(ProtocolConstants.leastFramePayload) to \
      \(ProtocolConstants.largestFramePayload) is legal
      """
    case .initialWindow(let bytes):
      """
      HELLO announces an initial window of \(bytes) bytes; \
      \(ProtocolConstants.initialWindowRange.lowerBound) to \
      \(ProtocolConstants.initialWindowRange.upperBound) is legal
      """
    case .empty(let field): "HELLO has an empty \(field.rawValue); 1 to \(limit) bytes are due"
    case .tooLong(let field, let bytes):
      "HELLO has a \(field.rawValue) of \(bytes) bytes; at most \(limit) fit"
    case .notUnicode(let field): "HELLO has a \(field.rawValue) that is no UTF-8"
    case .encodedTooLong(let bytes):
      "HELLO is \(bytes) bytes long; at most \(ProtocolConstants.helloLimit) are allowed"
    }
  }
}
