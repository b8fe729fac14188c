/// First bytes that are not those of this protocol.
package struct BadPreface: Equatable, Sendable {
  /// What came, up to and including the first wrong byte and what was read with it, at most 16 bytes.
  package let firstBytes: [UInt8]
  package let appearance: Appearance

  /// What the bytes look like.
  package enum Appearance: Equatable, Sendable {
    /// A TLS handshake or alert.
    case tls
    /// An HTTP request or answer.
    case http
    /// An RPC of the old protocol, which has no preface.
    case classicRaft(type: UInt8)
    /// Ours, but changed by something that translates text or strips bits.
    case damaged
    case noise
  }
}
