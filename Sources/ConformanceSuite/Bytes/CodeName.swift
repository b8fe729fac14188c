/// The error codes by the names of the specification.
package enum CodeName: UInt32, Sendable, CaseIterable {
  case none = 0x00
  case protocolViolation = 0x01
  case frameSize = 0x02
  case flowControl = 0x03
  case streamState = 0x04
  case streamLimit = 0x05
  case checksumMismatch = 0x06
  case excessiveLoad = 0x07
  case handshakeTimeout = 0x08
  case handshakeTooLarge = 0x09
  case silent = 0x0A
  case internalError = 0x0B
  case shutdown = 0x0C
  case displaced = 0x0D
  case unsupportedVersion = 0x20
  case wrongCluster = 0x21
  case wrongServer = 0x22
  case selfConnection = 0x23
  case duplicate = 0x24
  case staleIncarnation = 0x25
  case unauthenticated = 0x26
  case unauthorized = 0x27
  case busy = 0x28
  case malformedHello = 0x29
  case cancelled = 0x40
  case deadlineExceeded = 0x41
  case refused = 0x42
  case unknownClass = 0x43
  case unknownEncoding = 0x44
  case unknownGroup = 0x45
  case malformedMessage = 0x46
  case messageTooLarge = 0x47
  case sourceFailed = 0x48
  case malformedChunk = 0x49
  case notNeeded = 0x4A
  case handlerGone = 0x4B

  /// The name of a code, or its number.
  package static func describe(_ code: UInt32) -> String {
    CodeName(rawValue: code).map { "\($0)" } ?? "code 0x" + String(code, radix: 16)
  }
}
