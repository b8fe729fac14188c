/// How the bytes of the opener's half are wrapped. Fixed by the frame that opens the stream.
package enum StreamEncoding: UInt8, Hashable, Sendable {
  /// The bytes of the payload protocol as they are.
  case plain = 0
  /// A request followed by chunks that are stored or compressed. Only for snapshots.
  case chunked = 1

  /// Whether streams of `trafficClass` may be opened with this encoding.
  package func isLegal(for trafficClass: TrafficClass) -> Bool {
    switch self {
    case .plain: true
    case .chunked: trafficClass == .snapshot
    }
  }
}
