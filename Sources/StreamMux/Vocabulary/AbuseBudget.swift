/// What a peer may do only so often. Each is a burst and a rate; ``AbuseLimits`` has the numbers.
package enum AbuseBudget: Int, CaseIterable, Hashable, Sendable {
  /// PING frames.
  case pings
  /// Frames of the types that are skipped.
  case ignorableFrames
  /// DATA that neither opens nor finishes nor carries a byte.
  case emptyData
  /// DATA of fewer than 64 bytes although more was queued.
  case tinyData
  /// CREDIT that does not grow, frames for streams that are gone, and GOAWAY again and again.
  case lateFrames
  /// RESET of the peer's own streams.
  case resets
  /// RESET and STOP that the peer provokes from us.
  case provokedResets
  /// STREAMS that do not grow.
  case idleStreams

  /// The name for texts and tables.
  package var subject: String {
    switch self {
    case .pings: "PING frames"
    case .ignorableFrames: "frames to ignore"
    case .emptyData: "empty DATA frames"
    case .tinyData: "tiny DATA frames"
    case .lateFrames: "frames without effect"
    case .resets: "resets"
    case .provokedResets: "streams that must be reset"
    case .idleStreams: "STREAMS frames without effect"
    }
  }
}
