package import NIOCore

/// A whole frame other than DATA, whose bytes are handed on as they come.
package enum Frame: Equatable, Sendable {
  /// The payload as received: it is authenticated as bytes. ``Hello/init(decoding:)`` reads it.
  case hello(ByteBuffer)
  case authentication(Authentication)
  case welcome(Welcome)
  /// The peer takes stream bytes up to `limit`, counted from the start of the stream.
  case credit(stream: UInt64, limit: UInt64)
  case reset(stream: UInt64, code: ErrorCode)
  case stop(stream: UInt64, code: ErrorCode)
  /// The peer takes `limit` streams of the class, counted from the start of the connection.
  case streams(TrafficClass, limit: UInt64)
  /// Eight opaque bytes.
  case ping(UInt64)
  /// The eight bytes of the PING that it answers.
  case pong(UInt64)
  case goAway(GoAway)

  package var type: FrameType {
    switch self {
    case .hello: .hello
    case .authentication: .authentication
    case .welcome: .welcome
    case .credit: .credit
    case .reset: .reset
    case .stop: .stop
    case .streams: .streams
    case .ping: .ping
    case .pong: .pong
    case .goAway: .goAway
    }
  }
}
