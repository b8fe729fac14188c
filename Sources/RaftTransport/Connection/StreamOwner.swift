import NIOCore
import StreamMux

/// What lives on a stream: a call, a pipeline, a snapshot, or the serving of a peer's stream.
///
/// Owners are confined to the event loop of their connection and are called by its driver only. After
/// ``streamEnded(_:_:_:)`` an owner hears nothing more.
protocol StreamOwner: AnyObject {
  /// Bytes of the peer's half; never empty.
  func streamReceived(_ bytes: ByteBuffer, _ stream: StreamKey, _ driver: ConnectionDriver)

  /// The peer's half ended properly.
  func streamFinished(_ stream: StreamKey, _ driver: ConnectionDriver)

  /// The peer wants no more bytes of our half, which is reset; its own half goes on.
  func streamStopped(_ code: ErrorCode, _ stream: StreamKey, _ driver: ConnectionDriver)

  /// There is room for more bytes of our half.
  func streamWritable(_ stream: StreamKey, _ driver: ConnectionDriver)

  /// The peer's half ended without its FIN, or the connection is over.
  func streamEnded(_ end: StreamEnd, _ stream: StreamKey, _ driver: ConnectionDriver)

  /// Until when something has to happen; `nil` if there is no hurry. An owner whose deadline comes nearer says so with
  /// ``ConnectionDriver/expect(before:)``; one that moves away is found out.
  var deadline: NIODeadline? { get }

  /// The deadline has passed.
  func deadlinePassed(_ stream: StreamKey, _ driver: ConnectionDriver)

  /// This side drains the connection: what would go on for ever has to end.
  func connectionDraining(_ stream: StreamKey, _ driver: ConnectionDriver)

  /// The peer drains the connection: it answers what it was asked and takes nothing more.
  func peerDraining(_ stream: StreamKey, _ driver: ConnectionDriver)

  /// How many calls of our own wait for an answer here.
  var callsInFlight: Int { get }

  /// How far an outgoing snapshot has come, if this is one.
  var snapshotProgress: TransportStatistics.Snapshot? { get }
}

extension StreamOwner {
  func streamStopped(_ code: ErrorCode, _ stream: StreamKey, _ driver: ConnectionDriver) {}
  func streamWritable(_ stream: StreamKey, _ driver: ConnectionDriver) {}
  var deadline: NIODeadline? { nil }
  func deadlinePassed(_ stream: StreamKey, _ driver: ConnectionDriver) {}
  func connectionDraining(_ stream: StreamKey, _ driver: ConnectionDriver) {}
  func peerDraining(_ stream: StreamKey, _ driver: ConnectionDriver) {}
  var callsInFlight: Int { 0 }
  var snapshotProgress: TransportStatistics.Snapshot? { nil }
}

/// Why a stream ended before its time.
enum StreamEnd {
  /// The peer reset its half.
  case reset(ErrorCode)
  /// The peer says that it never looked at the stream.
  case neverProcessed(ErrorCode)
  /// The connection is over; the flag says whether the stream's opening frame ever went out.
  case connectionOver(Closure, hadReachedWire: Bool)
}

extension StreamEnd {
  /// What the caller of an RPC on such a stream is told. This is the one place where ends become errors.
  func error(peer: ServerID) -> TransportError {
    switch self {
    case .neverProcessed(let code):
      let message = "server '\(peer)' took no new streams (\(code)); call again"
      return TransportError(.streamReset, message, delivery: .notDelivered)
    case .reset(let code):
      let message = "server '\(peer)' ended the stream: \(code)"
      return TransportError(
        .streamReset, message, delivery: code.saysNeverProcessed ? .notDelivered : .unknown)
    case .connectionOver(let closure, let hadReachedWire):
      let delivery: TransportError.Delivery = hadReachedWire ? .unknown : .notDelivered
      if case .local(.shutdown, _) = closure { return TransportError(.shutdown, "", delivery: delivery) }
      return TransportError(
        .connectionLost, "to server '\(peer)': \(closure.explanation)", delivery: delivery)
    }
  }
}

extension ErrorCode {
  /// Whether a stream that ends with this code was certainly never looked at by a handler.
  var saysNeverProcessed: Bool {
    switch self {
    // Not `refused`: where it is certain the engine says so by another event, and else bytes of the answer had come.
    case .unknownClass, .unknownEncoding, .unknownGroup: true
    default: false
    }
  }
}

extension Closure {
  /// The closure in words, for errors and logs.
  var explanation: String {
    switch self {
    case .drained: "the connection was drained"
    case .refusedByPeer(let refusal): "refused by the peer: \(refusal)"
    case .refused(let refusal): "refused: \(refusal)"
    case .violation(let violation): "the peer broke the protocol: \(violation)"
    case .peerError(let code, let text): "closed by the peer: \(code)\(text.isEmpty ? "" : ", \(text)")"
    case .endOfInput: "the peer closed the connection"
    case .silent: "nothing was heard of the peer for too long"
    case .local(let code, let text): "closed here: \(code)\(text.isEmpty ? "" : ", \(text)")"
    case .transportFailed(let text): text
    }
  }
}
