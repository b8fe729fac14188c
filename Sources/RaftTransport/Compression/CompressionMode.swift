/// Whether snapshots are compressed on their way.
public enum CompressionMode: Sendable, Hashable {
  /// Never.
  case off
  /// Always, at zlib's level 1 (fast) to 9 (small).
  case on(level: Int)
  /// Where it makes the snapshot arrive earlier.
  case automatic
}
