import NIOCore
import RaftTransport
import RaftWire
import StreamMux

extension RawPeer {
  /// A connection behind its handshake.
  static func established(
    to server: ServerAddress, as id: String = "raw", incarnation: UInt64 = 1, from source: String? = nil
  ) async throws -> RawPeer {
    let peer = try await RawPeer.connect(to: server, from: source)
    try await peer.shakeHands(try RawPeer.hello(serverID: id, incarnation: incarnation))
    return peer
  }

  /// Sends bytes on a stream in as many frames as they need, the first of which opens it.
  func open(
    _ stream: UInt64, _ trafficClass: TrafficClass, encoding: StreamEncoding = .plain, _ bytes: ByteBuffer,
    isLast: Bool = false
  ) async {
    let opening = DataHeader.Opening(StreamOpening(trafficClass: trafficClass, encoding: encoding, group: 0))
    var rest = bytes
    let first = rest.readSlice(length: min(rest.readableBytes, 60_000)) ?? ByteBuffer()
    let isWhole = rest.readableBytes == 0
    await send(
      DataHeader(
        stream: stream, opening: opening, isLast: isLast && isWhole, hasMore: !isWhole,
        byteCount: first.readableBytes), first)
    if !isWhole { await goOn(stream, rest, isLast: isLast) }
  }

  /// Sends further bytes of a stream.
  func goOn(_ stream: UInt64, _ bytes: ByteBuffer, isLast: Bool = false) async {
    var rest = bytes
    while let piece = rest.readSlice(length: min(rest.readableBytes, 60_000)), piece.readableBytes > 0 {
      let isWhole = rest.readableBytes == 0
      await send(
        DataHeader(
          stream: stream, isLast: isLast && isWhole, hasMore: !isWhole, byteCount: piece.readableBytes), piece
      )
    }
  }

  /// Waits until the server has dealt with everything that was sent before.
  func settle(_ number: UInt64 = 4_711) async throws {
    await send(.ping(number))
    let answered = try await next { frame -> Bool? in
      if case .pong(number) = frame { true } else { nil }
    }
    guard answered == true else { throw NeverHappened(description: "an answer to PING") }
  }
}

/// The bytes of a request.
func bytes(of request: some WireRequest) throws -> ByteBuffer {
  var bytes = ByteBuffer()
  try WireEncoder(profile: .default).encode(request: request, into: &bytes)
  return bytes
}
