import NIOCore
import StreamMux

/// What the peer table wants done; see ``PeerTable``.
enum PeerTableAction {
  /// Connect to an address and shake hands; the peer must turn out to be `target` unless that is empty.
  case dial(ServerAddress, target: ServerID, LinkID)
  /// A waiting call goes on with this connection.
  case resume(CallTicket, LinkID)
  /// A waiting call ends here.
  case fail(CallTicket, TransportError)
  /// Say WELCOME on a connection.
  case accept(LinkID, grantsRoute: Bool)
  /// Refuse a connection; in favour of the winner where it is a duplicate.
  case refuse(LinkID, ErrorCode, text: String, winner: LinkID?)
  /// Find out whether the other end still answers, and report it with ``PeerTable/probeEnded(_:answered:now:)`` unless
  /// the connection ends first. A connection that was heard of in the last second need not be asked, unless it shall be
  /// in any case.
  case probe(LinkID, inAnyCase: Bool)
  /// End a connection.
  case close(LinkID, ErrorCode, text: String)
  /// Somebody should look at this.
  case alarm(ServerID, text: String)
}
