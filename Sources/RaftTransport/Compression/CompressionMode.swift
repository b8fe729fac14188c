/// Whether, and how hard, a snapshot is compressed on its way to a peer.
///
/// Compression works on chunks of at most 256 KiB, off the event loops. A chunk that would not shrink is
/// sent as it is, whatever the mode.
public struct CompressionMode: Sendable, Hashable, CustomStringConvertible {
  package enum Choice: Sendable, Hashable {
    case never
    case always
    case measured
  }

  package let choice: Choice

  /// zlib's level, 1 (fast) ... 9 (small).
  package let level: Int

  /// Snapshots are sent as they are.
  public static let off = CompressionMode(choice: .never, level: 1)

  /// Each chunk is compressed while that is faster than sending it plain: the transport compares the
  /// compressor's speed and gain with the rate of the path, and looks again now and then.
  public static let automatic = CompressionMode(choice: .measured, level: 1)

  /// Each chunk is compressed.
  ///
  /// - Parameter level: zlib's level, 1 (fast, the default) ... 9 (small).
  /// - Precondition: `level` is in 1...9.
  public static func on(level: Int = 1) -> CompressionMode {
    precondition((1...9).contains(level), "a compression level is in 1...9")
    return CompressionMode(choice: .always, level: level)
  }

  /// `off`, `automatic` or `on(level: n)`.
  public var description: String {
    switch choice {
    case .never: "off"
    case .always: "on(level: \(level))"
    case .measured: "automatic"
    }
  }
}
