/// A code of the one registry that RESET, STOP, GOAWAY and WELCOME share.
///
/// Codes that are not in the registry are legal on the wire: they are kept as they are, and treated like
/// ``cancelled`` on a stream and like ``internalError`` on a connection.
package struct ErrorCode: RawRepresentable, Hashable, Sendable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// No error. In WELCOME: accepted.
  package static let none = ErrorCode(rawValue: 0x00)

  // Connection.
  package static let protocolViolation = ErrorCode(rawValue: 0x01)
  package static let frameSize = ErrorCode(rawValue: 0x02)
  package static let flowControl = ErrorCode(rawValue: 0x03)
  package static let streamState = ErrorCode(rawValue: 0x04)
  package static let streamLimit = ErrorCode(rawValue: 0x05)
  package static let checksumMismatch = ErrorCode(rawValue: 0x06)
  package static let excessiveLoad = ErrorCode(rawValue: 0x07)
  package static let handshakeTimeout = ErrorCode(rawValue: 0x08)
  package static let handshakeTooLarge = ErrorCode(rawValue: 0x09)
  /// The peer was not heard of, or took no bytes, for too long.
  package static let silent = ErrorCode(rawValue: 0x0A)
  package static let internalError = ErrorCode(rawValue: 0x0B)
  package static let shutdown = ErrorCode(rawValue: 0x0C)
  /// Another connection with the same peer took this one's place.
  package static let displaced = ErrorCode(rawValue: 0x0D)

  // Refusals.
  package static let unsupportedVersion = ErrorCode(rawValue: 0x20)
  package static let wrongCluster = ErrorCode(rawValue: 0x21)
  package static let wrongServer = ErrorCode(rawValue: 0x22)
  package static let selfConnection = ErrorCode(rawValue: 0x23)
  package static let duplicate = ErrorCode(rawValue: 0x24)
  package static let staleIncarnation = ErrorCode(rawValue: 0x25)
  package static let unauthenticated = ErrorCode(rawValue: 0x26)
  package static let unauthorized = ErrorCode(rawValue: 0x27)
  package static let busy = ErrorCode(rawValue: 0x28)
  package static let malformedHello = ErrorCode(rawValue: 0x29)

  // Streams.
  package static let cancelled = ErrorCode(rawValue: 0x40)
  package static let deadlineExceeded = ErrorCode(rawValue: 0x41)
  /// The stream was never processed.
  package static let refused = ErrorCode(rawValue: 0x42)
  package static let unknownClass = ErrorCode(rawValue: 0x43)
  package static let unknownEncoding = ErrorCode(rawValue: 0x44)
  package static let unknownGroup = ErrorCode(rawValue: 0x45)
  package static let malformedMessage = ErrorCode(rawValue: 0x46)
  package static let messageTooLarge = ErrorCode(rawValue: 0x47)
  /// The source of a snapshot ended early, went on too long or failed.
  package static let sourceFailed = ErrorCode(rawValue: 0x48)
  package static let malformedChunk = ErrorCode(rawValue: 0x49)
  /// The answer was given before the whole request was read; the rest is of no use.
  package static let notNeeded = ErrorCode(rawValue: 0x4A)
  /// Whoever should have read this stream has gone.
  package static let handlerGone = ErrorCode(rawValue: 0x4B)

  /// Every code with its name, in ascending order. `Spec/tables` holds the same list.
  package static let registry: [(code: ErrorCode, name: String)] = [
    (.none, "none"), (.protocolViolation, "protocolViolation"), (.frameSize, "frameSize"),
    (.flowControl, "flowControl"), (.streamState, "streamState"), (.streamLimit, "streamLimit"),
    (.checksumMismatch, "checksumMismatch"), (.excessiveLoad, "excessiveLoad"),
    (.handshakeTimeout, "handshakeTimeout"), (.handshakeTooLarge, "handshakeTooLarge"),
    (.silent, "silent"), (.internalError, "internalError"), (.shutdown, "shutdown"),
    (.displaced, "displaced"),
    (.unsupportedVersion, "unsupportedVersion"), (.wrongCluster, "wrongCluster"),
    (.wrongServer, "wrongServer"), (.selfConnection, "selfConnection"), (.duplicate, "duplicate"),
    (.staleIncarnation, "staleIncarnation"), (.unauthenticated, "unauthenticated"),
    (.unauthorized, "unauthorized"), (.busy, "busy"), (.malformedHello, "malformedHello"),
    (.cancelled, "cancelled"), (.deadlineExceeded, "deadlineExceeded"), (.refused, "refused"),
    (.unknownClass, "unknownClass"), (.unknownEncoding, "unknownEncoding"),
    (.unknownGroup, "unknownGroup"), (.malformedMessage, "malformedMessage"),
    (.messageTooLarge, "messageTooLarge"), (.sourceFailed, "sourceFailed"),
    (.malformedChunk, "malformedChunk"), (.notNeeded, "notNeeded"), (.handlerGone, "handlerGone"),
  ]

  private static let names = Dictionary(uniqueKeysWithValues: registry.map { ($0.code, $0.name) })

  /// What the code of a RESET or STOP stands for: 0 is no reason, and must not be sent back (R-ERR-4, R-ERR-5).
  var orCancelled: ErrorCode { self == .none ? .cancelled : self }

  /// The name in the registry, or nil for a code that is not in it.
  package var name: String? { Self.names[self] }
}

extension ErrorCode: CustomStringConvertible {
  package var description: String {
    let number = "0x" + (rawValue < 0x10 ? "0" : "") + String(rawValue, radix: 16, uppercase: true)
    guard let name else { return "unknown code \(number)" }
    return "\(name) (\(number))"
  }
}
