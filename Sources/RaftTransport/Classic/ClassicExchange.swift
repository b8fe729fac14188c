import NIOCore
import RaftWire

/// What uses a connection to an old peer: a call, a pipeline or a snapshot. One at a time has a connection.
///
/// Exchanges are confined to the event loop. After ``ended(_:_:)`` or ``failed(_:)``, or once it has given its
/// connection back, an exchange hears nothing more.
protocol ClassicExchange: AnyObject {
  /// Whom it is for.
  var target: DialTarget { get }

  /// Whether a connection that served other calls before will not do.
  var needsFreshConnection: Bool { get }

  /// The longest time that making a connection may take, where that is less than for calls.
  var connectPatience: TimeAmount? { get }

  /// There is a connection; nobody has told the peer anything yet.
  func begin(on connection: ClassicConnection)

  /// There will be no connection.
  func failed(_ error: TransportError)

  /// Bytes of the peer.
  func received(_ bytes: ByteBuffer, _ connection: ClassicConnection)

  /// The connection is gone.
  func ended(_ end: ClassicEnd, _ connection: ClassicConnection)

  /// The streams are being closed: what would go on for ever has to end.
  func streamsClosing(_ connection: ClassicConnection)

  /// How many calls wait for an answer.
  var callsInFlight: Int { get }

  /// How far an outgoing snapshot has come, if this is one.
  var snapshotProgress: TransportStatistics.Snapshot? { get }
}

extension ClassicExchange {
  var needsFreshConnection: Bool { false }
  func streamsClosing(_ connection: ClassicConnection) {}
  var callsInFlight: Int { 1 }
  var snapshotProgress: TransportStatistics.Snapshot? { nil }
}

/// Why a connection to an old peer ended under an exchange.
enum ClassicEnd {
  case closedByPeer
  case failed(any Error)
  case shutdown

  /// What the caller of an RPC is told that was sent.
  func error(peer: DialTarget) -> TransportError {
    switch self {
    case .shutdown:
      TransportError(.shutdown, "", delivery: .unknown)
    case .closedByPeer:
      TransportError(.connectionLost, "to \(peer.name): the peer closed the connection", delivery: .unknown)
    case .failed(let error):
      TransportError(
        .connectionLost, "to \(peer.name): the socket failed", delivery: .unknown, underlying: error)
    }
  }
}

extension DialTarget {
  /// The peer in words, for errors and logs.
  var name: String { id.isEmpty ? "the server at \(address)" : "server '\(id)' at \(address)" }
}

extension ClassicExchange {
  var connectPatience: TimeAmount? { nil }
}
