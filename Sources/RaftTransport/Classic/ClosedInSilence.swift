import NIOCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The peer closed an RMUX connection without a byte, as servers do that take its preface for an unknown request, and left
/// one open on which nothing was said: it may be an old one, and its answer to a call would prove it (R-CLS-20).
struct ClosedInSilence: Error, CustomStringConvertible {
  var description: String { "it never sent a byte" }
}

extension TransportError {
  /// Whether the peer may be an old one, as far as this failure of an RMUX connection shows.
  var suggestsClassicPeer: Bool { underlying is ClosedInSilence }
}

extension IOError {
  /// Whether the other end has reset the connection, which is a way to close it.
  var isReset: Bool { errnoCode == ECONNRESET }
}
