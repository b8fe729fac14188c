package import NIOCore

/// Reads the peer's first eight bytes and stops at the first that is wrong.
package struct PrefaceReader: Equatable, Sendable {
  /// How many bytes of a stranger are kept for the log.
  static let sampleLength = 16

  private var matched = 0

  package init() {}

  /// Whether the whole preface was read.
  package var isComplete: Bool { matched == ProtocolConstants.preface.count }

  /// Takes bytes of the preface off the front of `bytes` and leaves the rest.
  ///
  /// - Returns: whether the preface is complete now.
  /// - Throws: ``Violation/Sin/badPreface(_:)`` with what the bytes look like.
  package mutating func read(_ bytes: inout ByteBuffer) throws(Violation) -> Bool {
    while !isComplete, let byte = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) {
      guard byte == ProtocolConstants.preface[matched] else {
        let right = ProtocolConstants.preface.prefix(matched)
        let sample = right + bytes.readableBytesView.prefix(Self.sampleLength - matched)
        throw Violation(.badPreface(BadPreface(firstBytes: Array(sample))))
      }
      matched += 1
      bytes.moveReaderIndex(forwardBy: 1)
    }
    return isComplete
  }
}

extension BadPreface {
  /// - Parameter firstBytes: at least one.
  package init(firstBytes: [UInt8]) {
    self.init(firstBytes: firstBytes, appearance: Appearance(firstBytes))
  }
}

extension BadPreface.Appearance {
  /// Methods of requests, and the start of an answer.
  private static let httpStarts = [
    "GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "CONNECT ", "PATCH ", "TRACE ", "PRI ",
    "HTTP/",
  ].map { Array($0.utf8) }

  /// The preface with the highest bit of each byte gone, and with its line ends translated.
  private static let damagedStarts: [[UInt8]] = [
    [0x2C, 0x52, 0x4D, 0x58], [0xAC, 0x52, 0x4D, 0x58, 0x0A], [0xAC, 0x52, 0x4D, 0x58, 0x0D, 0x0D],
    [0xAC, 0x52, 0x4D, 0x58, 0x0D, 0x0A, 0x1A, 0x0D], [0xC2, 0xAC, 0x52, 0x4D],
  ]

  init(_ bytes: [UInt8]) {
    // A TLS record: handshake or alert, then the major version.
    let isTLS = (bytes.first == 0x16 || bytes.first == 0x15) && (bytes.count < 2 || bytes[1] == 0x03)
    if let first = bytes.first, first <= 4 {
      self = .classicRaft(type: first)
    } else if isTLS {
      self = .tls
    } else if Self.httpStarts.contains(where: { Self.agree($0, bytes) }) {
      self = .http
    } else if Self.damagedStarts.contains(where: { Self.agree($0, bytes) }) {
      self = .damaged
    } else {
      self = .noise
    }
  }

  /// Whether `bytes`, as far as they came, are the start of `pattern` or begin with it.
  private static func agree(_ pattern: [UInt8], _ bytes: [UInt8]) -> Bool {
    !bytes.isEmpty && pattern.prefix(bytes.count).elementsEqual(bytes.prefix(pattern.count))
  }
}
