import ArgumentParser
import RaftTransport

/// How snapshots travel, as the command line names it.
enum CompressionChoice: String, Codable, CaseIterable, Sendable, ExpressibleByArgument {
  case off
  case on
  case auto

  /// The transport's setting; `on` takes zlib's fastest level, which pays first.
  var mode: CompressionMode {
    switch self {
    case .off: .off
    case .on: .on(level: 1)
    case .auto: .automatic
    }
  }
}
