import StreamMux

/// Whoever decides about connections hears here what becomes of one; called on the connection's event loop.
protocol ConnectionObserver: AnyObject, Sendable {
  /// The handshake has shown who the peer claims to be, and what speaks for that; the answer is `accept` or `refuse` on
  /// the link's driver.
  func connection(
    _ link: Link, authenticated hello: Hello, _ agreement: Agreement, _ endpoints: Endpoints,
    certificate: PeerCertificate?)
  /// Both sides said WELCOME.
  func connection(_ link: Link, establishedGrantingRoute grantsRoute: Bool)
  /// The peer's WELCOME refused the connection.
  func connection(_ link: Link, refused refusal: Refusal)
  /// No new streams on this connection.
  func connectionDraining(_ link: Link)
  /// A probe has ended; not told when the connection ends first.
  func connection(_ link: Link, probeAnswered: Bool)
  /// The connection is gone; the flag says that the peer never sent a byte.
  func connection(_ link: Link, closed closure: Closure, unheard: Bool)
}

/// The two ends of a TCP connection, as far as the system tells.
struct Endpoints: Sendable {
  var localPort = 0
  var remotePort = 0
  /// The peer's IP address as text, without port; `nil` for other kinds of sockets.
  var remoteIP: String?
}
