package import NIOCore

/// What a connection has to tell its owner.
///
/// Events of one stream come in order. None comes for a stream that the owner released, and no data for one
/// that it stopped.
///
/// What comes once per connection is boxed: every event of every frame would be as large as the largest case.
package enum MuxEvent: Sendable {
  /// Only with a shared key: the owner answers with `provideProof(_:now:)`, now or later.
  indirect case proofNeeded(ProofContext)
  /// Only with a shared key: the owner answers with `proofWasChecked(isValid:now:)`, now or later.
  indirect case proofReceived([UInt8], ProofContext)
  /// The peer is who it says, as far as the agreed method can tell. The owner answers with
  /// `accept(grantsRoute:now:)` or `refuse(_:now:)`, now or later.
  indirect case peerAuthenticated(Hello, Agreement)
  /// Both WELCOMEs are through: streams may be used. The flag is the one in the peer's WELCOME.
  case established(grantsRoute: Bool)
  /// The peer's WELCOME refuses the connection.
  case refused(Refusal)
  /// The peer opened a stream.
  case opened(StreamKey, StreamOpening)
  /// Bytes of a stream: slices of what was received. Never empty.
  case data(StreamKey, ByteBuffer)
  /// The peer's FIN, behind all data.
  case finished(StreamKey)
  /// The peer's RESET.
  case reset(StreamKey, ErrorCode)
  /// The peer's STOP. Our half was reset already, with the same code.
  case stopped(StreamKey, ErrorCode)
  /// A stream of our own that the peer certainly never processed.
  case rejected(StreamKey, ErrorCode)
  /// What is queued on the stream fell below the low-water mark after having been above it.
  case writable(StreamKey)
  /// The answer to a PING; the number is what `ping(now:)` returned.
  case pong(UInt64, roundTrip: TimeAmount)
  /// The peer's GOAWAY. `lastID` is nil when another one will follow.
  case draining(lastID: UInt64?, ErrorCode, String)
  /// No stream of this connection will get another event. The owner fails those that it still has, and
  /// goes on to move bytes until `closed`.
  case ending(Closure)
  /// Everything was transmitted that ever will be: half-close the socket.
  case shouldCloseOutput
  /// The last event: close the socket.
  case closed(Closure)
}

/// How a connection ended.
package enum Closure: Equatable, Sendable {
  /// All streams came to their end first.
  case drained
  /// The peer's WELCOME refused the connection.
  case refusedByPeer(Refusal)
  /// Our own WELCOME refused the connection.
  case refused(Refusal)
  /// The peer broke the protocol.
  case violation(Violation)
  /// The peer's GOAWAY named an error.
  case peerError(ErrorCode, String)
  /// The peer closed its direction in the middle of things.
  case endOfInput
  /// Nothing was heard of the peer, or it took no bytes, for too long.
  case silent
  /// The owner closed the connection.
  case local(ErrorCode, String)
  /// What carries the bytes failed; the engine does not see that itself, its owner does.
  case transportFailed(String)
}

/// Why a stream could not be opened.
package enum OpenError: Error, Hashable, Sendable {
  /// One of the two sides drains the connection: dial a new one.
  case draining
  /// The connection has ended.
  case closed
  /// More streams wait for the peer's stream credit than the configuration allows.
  case tooManyPending
}
